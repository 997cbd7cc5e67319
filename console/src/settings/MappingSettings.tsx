import { useQuery } from '@connectrpc/connect-query';
import { Button, Group, List, Paper, Stack, Text, Title } from '@mantine/core';
import { IconArrowsRightLeft } from '@tabler/icons-react';
import { useState } from 'react';

import { problemOf } from '~/api/problem';
import { DirectoryService, type NamedMapping } from '~/gen/userimport/v1/directory_service_pb';
import { useSession } from '~/session/Session';
import { EmptyState } from '~/shared/EmptyState';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';
import { When } from '~/shared/When';

import { DeleteMapping } from './DeleteMapping';
import { MappingEditor } from './MappingEditor';
import { mappingInWords, mappingSize } from './mappingWords';

/** How the exports of other systems are read. */
export function MappingSettings() {
  const { organization, may, principal } = useSession();
  const query = useQuery(DirectoryService.method.listMappings, { organization });
  const [edited, setEdited] = useState<NamedMapping>();
  if (query.isPending) {
    return <Loading label="Reading the mappings" />;
  }
  if (!query.data) {
    return (
      <Failure
        problem={problemOf(query.error)}
        title="The mappings cannot be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { mappings } = query.data;
  if (edited) {
    const names = mappings.map(({ name }) => name);
    return <MappingEditor saved={edited} names={names} onClose={() => setEdited(undefined)} />;
  }
  if (mappings.length === 0) {
    return (
      <EmptyState icon={<IconArrowsRightLeft />} title="No mapping is saved">
        A mapping says how the export of another system is read. Choose <em>Import users</em> with a file
        whose columns have other names: at the step <em>Columns</em> it can be saved under a name.
      </EmptyState>
    );
  }
  return (
    <Stack gap="sm">
      <Text size="sm" maw={720}>
        How the exports of other systems are read. Imports name a mapping; those that have begun go on with
        the one that they began with.
        {!may('catalog.write') &&
          ` “${principal}” lacks the permission catalog.write, which is needed to change them.`}
      </Text>
      {mappings.map((one) => (
        <SavedMapping key={one.name} saved={one} onEdit={() => setEdited(one)} />
      ))}
    </Stack>
  );
}

function SavedMapping({ saved, onEdit }: { readonly saved: NamedMapping; readonly onEdit: () => void }) {
  const { may } = useSession();
  const { name, mapping, updatedAt } = saved;
  return (
    <Paper withBorder p="md" component="article" aria-label={name}>
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={2} size="h5">
            {name}
          </Title>
          <Text size="sm" c="dimmed" component="div">
            {mapping && mappingSize(mapping)}
            {updatedAt && (
              <>
                , saved <When at={updatedAt} />
              </>
            )}
          </Text>
        </div>
        {may('catalog.write') && (
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={onEdit}>
              Edit
            </Button>
            <DeleteMapping name={name} />
          </Group>
        )}
      </Group>
      {mapping && (
        <details>
          <summary>
            <Text span size="sm">
              What it does
            </Text>
          </summary>
          <List size="sm" mt="xs">
            {mappingInWords(mapping).map((sentence) => (
              <List.Item key={sentence}>
                <bdi>{sentence}</bdi>
              </List.Item>
            ))}
          </List>
        </details>
      )}
    </Paper>
  );
}
