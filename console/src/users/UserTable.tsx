import { Group, Table, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconShieldCheck } from '@tabler/icons-react';

import type { User } from '~/gen/userimport/v1/types_pb';
import { AnchorLink } from '~/shared/links';
import { userName } from '~/shared/people';
import { StatusBadge } from '~/shared/StatusBadge';

import styles from './users.module.css';
import { nextSort, orderWord, type OrderWord, type UserSearch } from './userSearch';

const COLUMNS: readonly { readonly title: string; readonly order?: OrderWord }[] = [
  { title: 'Name', order: 'name' },
  { title: 'External ID', order: 'id' },
  { title: 'Email', order: 'email' },
  { title: 'Status', order: 'status' },
  { title: 'Role' },
  { title: 'Rank' },
  { title: 'Group' },
  { title: 'Badge', order: 'badge' },
];

interface UserTableProps {
  readonly sort: UserSearch['sort'];
  readonly onSort: (sort: UserSearch['sort']) => void;
  readonly users: readonly User[];
  /** True: the rows belong to what was asked for before. */
  readonly isOutdated: boolean;
}

export function UserTable({ users, isOutdated, sort, onSort }: UserTableProps) {
  return (
    <Table.ScrollContainer minWidth={900} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table highlightOnHover verticalSpacing={6} className={styles.table} aria-busy={isOutdated}>
        <Table.Thead>
          <Table.Tr>
            {COLUMNS.map(({ title, order }) => (
              <SortableHead key={title} title={title} order={order} sort={sort} onSort={onSort} />
            ))}
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

interface SortableHeadProps extends Pick<UserTableProps, 'sort' | 'onSort'> {
  readonly title: string;
  /** Undefined: the server has no such order. */
  readonly order: OrderWord | undefined;
}

/** The head of a column, which sorts by it. */
function SortableHead({ title, order, sort = 'id', onSort }: SortableHeadProps) {
  if (order === undefined) {
    return <Table.Th>{title}</Table.Th>;
  }
  const isSorted = orderWord(sort) === order;
  const direction = sort.startsWith('-') ? 'descending' : 'ascending';
  const DirectionIcon = direction === 'descending' ? IconArrowDown : IconArrowUp;
  return (
    <Table.Th aria-sort={isSorted ? direction : 'none'}>
      <UnstyledButton className={styles.sort} onClick={() => onSort(nextSort(order, sort))}>
        {title}
        {isSorted && <DirectionIcon size={14} aria-hidden />}
      </UnstyledButton>
    </Table.Th>
  );
}

function UserLine({ user }: { readonly user: User }) {
  return (
    <Table.Tr>
      <Table.Td className={styles.person}>
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
      <Cut text={user.externalId} className={styles.key} />
      <Cut text={user.email} />
      <Table.Td>
        <StatusBadge status={user.status} />
      </Table.Td>
      <Cut text={user.role} />
      <Cut text={user.rank} />
      <Cut text={user.evidenceGroupExternalId} />
      <Cut text={user.badgeNumber} className={styles.key} />
    </Table.Tr>
  );
}

/** A value that is cut if there is no room; the whole stands in the title. */
function Cut({
  text,
  className = styles.cut,
}: {
  readonly text: string;
  readonly className?: string | undefined;
}) {
  return (
    <Table.Td className={className}>
      <Text size="sm" truncate title={text}>
        {text}
      </Text>
    </Table.Td>
  );
}
