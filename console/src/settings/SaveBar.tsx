import { Button, Group, Paper, Stack, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import type { Problem } from '~/api/problem';
import { ActionAlert } from '~/shared/ActionAlert';
import { Failure } from '~/shared/Failure';

import styles from './settings.module.css';

/** What is edited and how far it is saved. */
export interface SaveState {
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  /** True: it was saved, and nothing has been changed since. */
  readonly isSaved?: boolean;
  readonly problem: Problem | undefined;
}

interface SaveBarProps {
  /** What is saved, as "catalog". */
  readonly noun: string;
  readonly state: SaveState;
  /** True: something else has to be decided or corrected first. */
  readonly isBlocked: boolean;
  readonly onSave: () => void;
  /** Somebody else has saved meanwhile: a `SaveConflict`. */
  readonly conflict?: ReactNode;
  /** The button that leaves or takes back the changes. */
  readonly children: ReactNode;
}

/** Says whether there is something to save, and what keeps it from being saved. */
export function SaveBar({ noun, state, isBlocked, onSave, conflict, children }: SaveBarProps) {
  const { isChanged, isSaving, isSaved = false, problem } = state;
  return (
    <Paper withBorder p="sm" className={styles.saveBar}>
      <Stack gap="sm">
        {conflict}
        {problem && <Failure problem={problem} title={`The ${noun} was not saved`} />}
        <Group gap="sm" justify="space-between">
          <Text size="sm" role="status">
            {isChanged ? 'There are unsaved changes.' : isSaved ? 'Saved.' : 'Everything is saved.'}
          </Text>
          <Group gap="xs">
            {children}
            <Button disabled={!isChanged || isBlocked} loading={isSaving} onClick={onSave}>
              Save {noun}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Paper>
  );
}

interface SaveConflictProps {
  /** What is saved, as "the catalog". */
  readonly what: string;
  readonly onOverwrite: () => void;
  /** Gives up the own changes. Undefined: the screen has another button for that. */
  readonly onTakeTheirs?: () => void;
  /** What they have changed, and what saving does to it. */
  readonly children: ReactNode;
}

/** Somebody else has saved meanwhile: the decision whose version stays. */
export function SaveConflict({ what, onOverwrite, onTakeTheirs, children }: SaveConflictProps) {
  return (
    <ActionAlert
      color="yellow"
      icon={<IconUsers aria-hidden />}
      title={`Somebody else has changed ${what} meanwhile`}
      actions={
        <>
          {onTakeTheirs && (
            <Button size="xs" onClick={onTakeTheirs}>
              Take theirs
            </Button>
          )}
          <Button size="xs" variant="light" color="red" onClick={onOverwrite}>
            Save mine all the same
          </Button>
        </>
      }
    >
      {children}
    </ActionAlert>
  );
}
