import { Group, Table, Text, Tooltip } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';

import type { User } from '~/gen/userimport/v1/types_pb';
import { AnchorLink } from '~/shared/links';
import { userName } from '~/shared/people';
import { StatusBadge } from '~/shared/StatusBadge';

import styles from './users.module.css';

interface UserTableProps {
  readonly users: readonly User[];
  /** True: the rows belong to what was asked for before. */
  readonly isOutdated: boolean;
}

export function UserTable({ users, isOutdated }: UserTableProps) {
  return (
    <Table.ScrollContainer minWidth={900} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table highlightOnHover verticalSpacing={6} className={styles.table} aria-busy={isOutdated}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>External ID</Table.Th>
            <Table.Th>Email</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>Rank</Table.Th>
            <Table.Th>Group</Table.Th>
            <Table.Th>Badge</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {users.map((user) => (
            <UserLine key={user.id} user={user} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function UserLine({ user }: { readonly user: User }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <AnchorLink to="/users/$userId" params={{ userId: user.id }} className={styles.name}>
            {userName(user)}
          </AnchorLink>
          {user.protected && (
            <Tooltip label="Protected: no import makes this user inactive">
              <IconShieldCheck size={16} role="img" aria-label="Protected" />
            </Tooltip>
          )}
        </Group>
      </Table.Td>
      <Cut text={user.externalId} />
      <Cut text={user.email} />
      <Table.Td>
        <StatusBadge status={user.status} />
      </Table.Td>
      <Cut text={user.role} />
      <Cut text={user.rank} />
      <Cut text={user.evidenceGroupExternalId} />
      <Cut text={user.badgeNumber} />
    </Table.Tr>
  );
}

/** A value that is cut if there is no room; the whole stands in the title. */
function Cut({ text }: { readonly text: string }) {
  return (
    <Table.Td className={styles.cut}>
      <Text size="sm" truncate title={text}>
        {text}
      </Text>
    </Table.Td>
  );
}
