import { Alert, Checkbox, Group, MultiSelect, Radio, Stack, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';

import { useSession } from '~/session/Session';

import type { StepProps } from './StepProps';
import { useCatalog } from './valueChoices';

const LABEL = 'Deactivate all currently Active users not listed in the file';

/** Whether users who are not in the file become Inactive, and which. */
export function DeactivateOption({ session, state }: StepProps) {
  const { may, principal } = useSession();
  const { choices } = state.draft;
  if (!may('users.deactivate')) {
    return (
      <Alert color="gray" icon={<IconLock aria-hidden />} title={LABEL}>
        <Text size="sm">
          “{principal}” lacks the permission users.deactivate, so users who are not listed stay as they are,
          and rows that would make an Active user Inactive are rejected.
        </Text>
      </Alert>
    );
  }
  return (
    <Stack gap="sm">
      <Checkbox
        label={LABEL}
        description={
          choices.deactivateMissing
            ? 'Users without a row in the file become Inactive and can no longer sign in. Protected users stay Active. You see who before anything is written.'
            : 'Users without a row in the file stay as they are. Choose this if the file is the whole roster.'
        }
        checked={choices.deactivateMissing}
        onChange={({ currentTarget }) => session.setChoices({ deactivateMissing: currentTarget.checked })}
      />
      {choices.deactivateMissing && <Scope session={session} state={state} />}
    </Stack>
  );
}

function Scope({ session, state }: StepProps) {
  const { choices } = state.draft;
  const catalog = useCatalog();
  const roles = catalog?.roles.map(({ name }) => name) ?? [...choices.onlyRoles];
  const groups =
    catalog?.groups.map(({ externalId, name }) => ({
      value: externalId,
      label: `${name} (${externalId})`,
    })) ?? choices.onlyGroups.map((group) => ({ value: group, label: group }));
  return (
    <Stack gap="xs" pl="xl">
      <Radio.Group
        label="Which of the users not listed"
        value={choices.isScoped ? 'some' : 'all'}
        onChange={(value) => session.setChoices({ isScoped: value === 'some' })}
      >
        <Group gap="md" mt={4}>
          <Radio value="all" label="All of the organisation" />
          <Radio value="some" label="Only those with some roles or groups" disabled={!catalog} />
        </Group>
      </Radio.Group>
      {!catalog && (
        <Text size="sm" c="dimmed">
          To choose roles or groups you need the permission users.read.
        </Text>
      )}
      {choices.isScoped && catalog && (
        <>
          <Group gap="md" align="flex-start">
            <MultiSelect
              label="Roles"
              placeholder={choices.onlyRoles.length === 0 ? 'Any role' : ''}
              w={320}
              searchable
              data={roles}
              value={[...choices.onlyRoles]}
              onChange={(onlyRoles) => session.setChoices({ onlyRoles })}
            />
            <MultiSelect
              label="Groups"
              placeholder={choices.onlyGroups.length === 0 ? 'Any group or none' : ''}
              w={320}
              searchable
              data={groups}
              value={[...choices.onlyGroups]}
              onChange={(onlyGroups) => session.setChoices({ onlyGroups })}
            />
          </Group>
          <Text size="sm" c="dimmed">
            Users with another role or group stay as they are, listed or not. Choose this if the file is the
            roster of one unit.
          </Text>
        </>
      )}
    </Stack>
  );
}
