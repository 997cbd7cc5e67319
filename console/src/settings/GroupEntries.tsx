import { Switch, Text, TextInput } from '@mantine/core';

import { newKey, type DraftGroup } from './catalogDraft';
import type { CatalogFaults } from './catalogFaults';
import { EntryList } from './EntryList';

interface GroupEntriesProps {
  readonly groups: readonly DraftGroup[];
  readonly faults: CatalogFaults;
  readonly isReadOnly: boolean;
  readonly onChange: (groups: readonly DraftGroup[]) => void;
}

export function GroupEntries({ groups, faults, isReadOnly, onChange }: GroupEntriesProps) {
  return (
    <div>
      <EntryList
        title="Groups"
        kind="groups"
        noun="group"
        entries={groups}
        faults={faults}
        isReadOnly={isReadOnly}
        heads={['External ID', 'Name', 'Active']}
        blank={() => ({
          key: newKey(),
          name: '',
          stored: undefined,
          isRemoved: false,
          externalId: '',
          active: true,
        })}
        onChange={onChange}
        cells={(group, change) => [
          group.stored === undefined ? (
            <TextInput
              key="id"
              size="xs"
              aria-label="External ID of the new group"
              value={group.externalId}
              maxLength={255}
              onChange={({ currentTarget }) => change({ externalId: currentTarget.value })}
            />
          ) : (
            <Text key="id" size="sm">
              {group.externalId}
            </Text>
          ),
          <TextInput
            key="name"
            size="xs"
            aria-label={`Name of the group ${group.externalId}`.trim()}
            value={group.name}
            maxLength={128}
            readOnly={isReadOnly}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />,
          isReadOnly ? (
            <Text key="active" size="sm">
              {group.active ? 'Yes' : 'No'}
            </Text>
          ) : (
            <Switch
              key="active"
              aria-label={`${group.externalId || 'The new group'} is active`}
              checked={group.active}
              onChange={({ currentTarget }) => change({ active: currentTarget.checked })}
            />
          ),
        ]}
      />
      <Text size="xs" c="dimmed" mt={4}>
        A group that is not active stays with the users who have it, and cannot be given to others. A roster
        names a group by its external ID, which stays as it is.
      </Text>
    </div>
  );
}
