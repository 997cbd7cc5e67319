import { useQuery } from '@connectrpc/connect-query';
import { Text } from '@mantine/core';

import { problemOf } from '~/api/problem';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';

import { CatalogEditor } from './CatalogEditor';

/** Roles, ranks, groups, and what phone numbers, badge numbers and external IDs look like: one document. */
export function CatalogSettings() {
  const { organization, may, principal } = useSession();
  const query = useQuery(
    DirectoryService.method.getCatalog,
    { organization },
    // What is being edited is not replaced under the editor's hands; saving compares it with what is stored by then.
    { refetchOnWindowFocus: false, refetchOnReconnect: false },
  );
  if (query.isPending) {
    return <Loading label="Reading the catalog" />;
  }
  const catalog = query.data?.catalog;
  if (!catalog) {
    return (
      <Failure
        problem={problemOf(query.error)}
        title="The catalog cannot be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  return (
    <>
      <Text size="sm" mb="md" maw={720}>
        What users can have: an import accepts these roles and ranks, and these groups if they are active.
        {!may('catalog.write') &&
          ` “${principal}” lacks the permission catalog.write, which is needed to change them.`}
      </Text>
      <CatalogEditor key={organization} organization={organization} read={catalog} />
    </>
  );
}
