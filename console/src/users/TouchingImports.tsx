import { Button, Group, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';

import { problemOf } from '~/api/problem';
import { imports } from '~/api/transport';
import { UserImportAction, type UserImport } from '~/gen/userimport/v1/import_service_pb';
import { importTitle } from '~/imports/importWords';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { AnchorLink } from '~/shared/links';
import { Loading } from '~/shared/Loading';
import { principalName } from '~/shared/people';
import { When } from '~/shared/When';

const PAGE_SIZE = 20;

/** The imports that made, changed or deactivated a user, newest first. */
export function TouchingImports({ user }: { readonly user: User }) {
  const { organization } = useSession();
  const query = useInfiniteQuery({
    queryKey: ['imports of user', organization, user.id],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      imports.listUserImports(
        { organization, userId: user.id, pageSize: PAGE_SIZE, pageToken: pageParam },
        { signal },
      ),
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
  });
  if (query.isPending) {
    return <Loading label="Looking through the imports" />;
  }
  if (!query.data) {
    return (
      <Failure
        problem={problemOf(query.error)}
        title="The imports cannot be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const found = query.data.pages.flatMap((page) => page.imports);
  return (
    <>
      {found.length > 0 && <TouchTable touches={found} />}
      <Group gap="sm" mt="xs">
        <Text size="sm" role="status">
          {said(found.length, query.data.pages.at(-1)?.searchIncomplete === true)}
        </Text>
        {query.hasNextPage && (
          <Button
            size="xs"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Look further back
          </Button>
        )}
      </Group>
      {query.error && <Failure problem={problemOf(query.error)} title="No older imports were found" />}
    </>
  );
}

function said(count: number, isIncomplete: boolean): string {
  if (isIncomplete) {
    return 'Not all imports have been looked through yet.';
  }
  return count === 0 ? 'No import whose results are kept has touched this user.' : '';
}

function TouchTable({ touches }: { readonly touches: readonly UserImport[] }) {
  return (
    <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing={6} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Import</Table.Th>
            <Table.Th>What it did</Table.Th>
            <Table.Th>Row</Table.Th>
            <Table.Th>Sent by</Table.Th>
            <Table.Th>Started</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {touches.map((touch) => (
            <TouchLine key={touch.importRecord?.importId} touch={touch} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function TouchLine({ touch }: { readonly touch: UserImport }) {
  const { importRecord: record, result } = touch;
  if (!record) {
    return null;
  }
  return (
    <Table.Tr>
      <Table.Td>
        <AnchorLink to="/imports/$importId" params={{ importId: record.importId }}>
          <bdi>{importTitle(record)}</bdi>
        </AnchorLink>
      </Table.Td>
      <Table.Td>{deed(touch)}</Table.Td>
      <Table.Td>{result && result.row > 0 ? result.row.toLocaleString('en-GB') : ''}</Table.Td>
      <Table.Td>{record.principal && principalName(record.principal)}</Table.Td>
      <Table.Td>{record.startedAt && <When at={record.startedAt} />}</Table.Td>
    </Table.Tr>
  );
}

/** What an import did to the user, in words. */
function deed({ action, result }: UserImport): string {
  switch (action) {
    case UserImportAction.CREATED:
      return 'Created';
    case UserImportAction.UPDATED: {
      const columns = result?.changes.map(({ column }) => column) ?? [];
      return columns.length > 0 ? `Updated ${columns.join(', ')}` : 'Updated';
    }
    case UserImportAction.DEACTIVATED:
      return 'Deactivated: the file did not list this user';
    case UserImportAction.UNSPECIFIED:
      return 'Changed; the results are no longer kept';
  }
}
