import { Checkbox, Text, TextInput } from '@mantine/core';

import { useSession } from '~/session/Session';

import { newKey, type DraftRole } from './catalogDraft';
import type { CatalogFaults } from './catalogFaults';
import { EntryList } from './EntryList';

interface RoleEntriesProps {
  readonly roles: readonly DraftRole[];
  readonly faults: CatalogFaults;
  readonly isReadOnly: boolean;
  readonly onChange: (roles: readonly DraftRole[]) => void;
}

export function RoleEntries({ roles, faults, isReadOnly, onChange }: RoleEntriesProps) {
  const { may } = useSession();
  const mayMark = may('users.grant-privileged');
  return (
    <div>
      <EntryList
        title="Roles"
        kind="roles"
        noun="role"
        entries={roles}
        faults={faults}
        isReadOnly={isReadOnly}
        heads={['Name', 'Privileged']}
        blank={() => ({ key: newKey(), name: '', stored: undefined, isRemoved: false, privileged: false })}
        onChange={onChange}
        cells={(role, change) => [
          <TextInput
            key="name"
            size="xs"
            aria-label={`Name of the role ${role.stored ?? ''}`.trim()}
            value={role.name}
            maxLength={128}
            readOnly={isReadOnly}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />,
          isReadOnly || !mayMark ? (
            <Text key="privileged" size="sm">
              {role.privileged ? 'Yes' : 'No'}
            </Text>
          ) : (
            <Checkbox
              key="privileged"
              aria-label={`${role.name || 'The new role'} is privileged`}
              checked={role.privileged}
              onChange={({ currentTarget }) => change({ privileged: currentTarget.checked })}
            />
          ),
        ]}
      />
      <Text size="xs" c="dimmed" mt={4}>
        A renamed role keeps its users. A privileged role is given, changed and taken only by callers with the
        permission users.grant-privileged
        {mayMark ? '.' : ', which you lack: you cannot change which roles are privileged.'}
      </Text>
    </div>
  );
}
