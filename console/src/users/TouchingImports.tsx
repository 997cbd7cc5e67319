import { useQuery } from '@connectrpc/connect-query';
import { Group, Text } from '@mantine/core';

import { ImportService } from '~/gen/userimport/v1/import_service_pb';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { StateBadge } from '~/shared/outcomes';
import { When } from '~/shared/When';

/** The import that wrote a user last. */
export function TouchingImports({ user }: { readonly user: User }) {
  const { organization } = useSession();
  const { data } = useQuery(
    ImportService.method.getImport,
    { organization, importId: user.lastImportId },
    { enabled: user.lastImportId !== '' },
  );
  const last = data?.importRecord;
  if (!last) {
    return <Text size="sm">No import has touched this user.</Text>;
  }
  return (
    <Group gap="xs">
      <StateBadge state={last.state} />
      <Text size="sm">{last.source}</Text>
      {last.startedAt && <When at={last.startedAt} />}
    </Group>
  );
}
