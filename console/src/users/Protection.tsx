import { Group, Paper, Stack, Switch, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { directory } from '~/api/transport';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { userName } from '~/shared/people';

/** Protects a user from being made Inactive by an import, or ends that. */
export function Protection({ user }: { readonly user: User }) {
  const { organization, may, principal } = useSession();
  const queries = useQueryClient();
  const description = useId();
  const [isSaving, setSaving] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const save = async (wanted: boolean) => {
    setSaving(true);
    setProblem(undefined);
    try {
      await directory.setUserProtected({ organization, userId: user.id, protected: wanted });
      await queries.invalidateQueries();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setSaving(false);
  };
  const state = user.protected
    ? `${userName(user)} is protected: no import makes this user Inactive.`
    : `${userName(user)} is not protected: an import may make this user Inactive.`;
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group gap="md" wrap="nowrap" align="flex-start">
          {may('users.deactivate') && (
            <Switch
              label="Protected"
              aria-describedby={description}
              checked={user.protected}
              disabled={isSaving}
              onChange={({ currentTarget }) => void save(currentTarget.checked)}
            />
          )}
          <Text size="sm" id={description} role="status">
            {state}
            {!may('users.deactivate') &&
              ` “${principal}” lacks the permission users.deactivate, which is needed to change that.`}
          </Text>
        </Group>
        {problem && <Failure problem={problem} title="The protection was not changed" />}
      </Stack>
    </Paper>
  );
}
