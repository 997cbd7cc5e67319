// The users who become Inactive because the file does not list them.

import { Group, Stack, Text, TextInput } from '@mantine/core';
import { useDeferredValue, useRef, useState } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { IconSearch, IconUserOff } from '@tabler/icons-react';

import { toneText } from '~/shared/outcomes';
import { plural } from '~/shared/time';

import type { ResultStore } from './ResultStore';
import styles from './review.module.css';
import { Value } from './text';
import { useResults } from './useResults';

const ROW_HEIGHT = 32;
const GRID = 'minmax(120px, 1fr) minmax(160px, 2fr)';

interface DeactivatedUsersProps {
  readonly store: ResultStore;
  /** True: they have not been deactivated yet. */
  readonly isPlanned: boolean;
}

export function DeactivatedUsers({ store, isPlanned }: DeactivatedUsersProps) {
  useResults(store);
  const [entered, setEntered] = useState('');
  const search = useDeferredValue(entered.trim().toLowerCase());
  const all = store.deactivated;
  if (all.length === 0) {
    return null;
  }
  const users = all.filter(
    ({ externalId, email }) =>
      search === '' || externalId.toLowerCase().includes(search) || email.toLowerCase().includes(search),
  );
  return (
    <Stack gap="xs" component="section" aria-label="Users not listed in the file">
      <Group justify="space-between" align="center" gap="xs">
        <Group gap={6} wrap="nowrap">
          <IconUserOff size={16} aria-hidden className={toneText('warning')} />
          <Text fw={600} size="sm">
            {isPlanned
              ? `${plural(all.length, 'user is', 'users are')} not listed in the file and would be deactivated`
              : `${plural(all.length, 'user was', 'users were')} not listed in the file and deactivated`}
          </Text>
        </Group>
        <TextInput
          size="xs"
          w={220}
          type="search"
          aria-label="Search the users not listed"
          placeholder="Search these users"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={entered}
          onChange={(event) => setEntered(event.currentTarget.value)}
        />
      </Group>
      {users.length > 0 ? (
        <UserRows users={users} />
      ) : (
        <Text size="sm">None of these users has this text in the external ID or email.</Text>
      )}
    </Stack>
  );
}

function UserRows({ users }: { readonly users: readonly ResultStore['deactivated'][number][] }) {
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is not in use
  const virtual = useVirtualizer({
    count: users.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      style={{ height: Math.min(240, (users.length + 1) * ROW_HEIGHT + 2) }}
      role="region"
      aria-label="Users not listed in the file"
      tabIndex={0}
    >
      <div role="table" aria-label="Users not listed in the file" aria-rowcount={users.length + 1}>
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.cells} style={{ gridTemplateColumns: GRID }}>
            <div role="columnheader" className={styles.cell}>
              EXTERNAL_ID
            </div>
            <div role="columnheader" className={styles.cell}>
              EMAIL
            </div>
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const user = users[item.index];
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                className={`${styles.row} ${styles.cells}`}
                style={{
                  gridTemplateColumns: GRID,
                  height: ROW_HEIGHT,
                  transform: `translateY(${item.start}px)`,
                }}
              >
                <div role="cell" className={styles.cell}>
                  {/* Without the permission to see users only the ID is known. */}
                  <Value>{user ? nameOf(user) : ''}</Value>
                </div>
                <div role="cell" className={styles.cell}>
                  <Value>{user?.email ?? ''}</Value>
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function nameOf({ externalId, userId }: { readonly externalId: string; readonly userId: string }): string {
  return externalId === '' ? userId : externalId;
}
