import { useQuery } from '@connectrpc/connect-query';
import { Button, Table, Text } from '@mantine/core';
import { keepPreviousData, useQueryClient } from '@tanstack/react-query';
import { IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { directory } from '~/api/transport';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { EmptyState } from '~/shared/EmptyState';
import { Failure } from '~/shared/Failure';
import { AnchorLink } from '~/shared/links';
import { Loading } from '~/shared/Loading';
import { Pager } from '~/shared/Pager';
import { usePageTokens } from '~/shared/pageTokens';
import { userName } from '~/shared/people';
import { StatusBadge } from '~/shared/StatusBadge';

const PAGE_SIZE = 50;

/** The users that no import makes Inactive. */
export function ProtectedUsers() {
  const { organization, may, principal } = useSession();
  const pages = usePageTokens();
  const query = useQuery(
    DirectoryService.method.listUsers,
    { organization, protected: true, pageSize: PAGE_SIZE, pageToken: pages.token },
    { placeholderData: keepPreviousData },
  );
  const [problem, setProblem] = useState<Problem>();
  if (query.isPending) {
    return <Loading label="Reading the protected users" />;
  }
  if (!query.data) {
    return (
      <Failure
        problem={problemOf(query.error)}
        title="The protected users cannot be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { users, nextPageToken, searchIncomplete } = query.data;
  return (
    <>
      <Text size="sm" mb="sm" maw={720}>
        No import makes these users Inactive, whether a file says so or does not list them. Open a user to
        protect that one too.
        {!may('users.deactivate') &&
          ` “${principal}” lacks the permission users.deactivate, which is needed to end a protection.`}
      </Text>
      {problem && <Failure problem={problem} title="The protection was not ended" />}
      {users.length > 0 && <ProtectedTable users={users} onProblem={setProblem} />}
      {users.length === 0 && !nextPageToken && (
        <EmptyState icon={<IconShieldCheck />} title="Nobody is protected">
          Open a user in{' '}
          <AnchorLink to="/users" underline="always">
            Users
          </AnchorLink>
          , and switch on <em>Protected</em>: for the administrator who must never be locked out, for example.
        </EmptyState>
      )}
      {(users.length > 0 || nextPageToken) && (
        <Pager
          pages={pages}
          pageSize={PAGE_SIZE}
          shown={users.length}
          total={undefined}
          noun={searchIncomplete ? 'user found so far' : 'user'}
          nextToken={nextPageToken}
        />
      )}
    </>
  );
}

interface ProtectedTableProps {
  readonly users: readonly User[];
  readonly onProblem: (problem: Problem | undefined) => void;
}

function ProtectedTable({ users, onProblem }: ProtectedTableProps) {
  const { organization, may } = useSession();
  const queries = useQueryClient();
  const [ending, setEnding] = useState<string>();
  const end = async (userId: string) => {
    setEnding(userId);
    onProblem(undefined);
    try {
      await directory.setUserProtected({ organization, userId, protected: false });
      await queries.invalidateQueries();
    } catch (error) {
      onProblem(problemOf(error));
    }
    setEnding(undefined);
  };
  return (
    <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing={6} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>External ID</Table.Th>
            <Table.Th>Email</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Role</Table.Th>
            {may('users.deactivate') && <Table.Th>Protection</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {users.map((user) => (
            <Table.Tr key={user.id}>
              <Table.Td>
                <AnchorLink to="/users/$userId" params={{ userId: user.id }}>
                  {userName(user)}
                </AnchorLink>
              </Table.Td>
              <Table.Td>{user.externalId}</Table.Td>
              <Table.Td>{user.email}</Table.Td>
              <Table.Td>
                <StatusBadge status={user.status} />
              </Table.Td>
              <Table.Td>{user.role}</Table.Td>
              {may('users.deactivate') && (
                <Table.Td>
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`End the protection of ${userName(user)}`}
                    loading={ending === user.id}
                    onClick={() => void end(user.id)}
                  >
                    End protection
                  </Button>
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
