// The last question before users are changed: the button names the numbers, and if users would be deactivated, the word
// Confirm has to be typed.

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';

import { plural } from '~/shared/time';

import { CONFIRMATION, confirmLabel, deactivatedIn, type PlannedCounts } from './confirmWords';

export interface ConfirmFormProps {
  /** "Import", "Undo", "Approve". */
  readonly verb: string;
  readonly counts: PlannedCounts;
  /** What rows that were corrected do besides. */
  readonly corrected?: PlannedCounts;
  /** Called with the confirmation to send: the typed word, or nothing if none is needed. */
  readonly onConfirm: (confirmation: string) => void;
  readonly onCancel: () => void;
  readonly cancelLabel?: string;
  readonly isBusy?: boolean;
  /** What else is to be known before the button. */
  readonly children?: ReactNode;
}

export function ConfirmForm(props: ConfirmFormProps) {
  const { verb, counts, corrected, onConfirm, onCancel, children } = props;
  const { cancelLabel = 'Cancel', isBusy = false } = props;
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState(false);
  const deactivated = deactivatedIn(counts, corrected);
  const needsWord = deactivated > 0;
  const isReady = !needsWord || typed.trim() === CONFIRMATION;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) {
          onConfirm(needsWord ? CONFIRMATION : '');
        } else {
          setAsked(true);
        }
      }}
    >
      <Stack gap="md">
        {children}
        {needsWord && (
          <TextInput
            label={`Type ${CONFIRMATION} to deactivate ${plural(deactivated, 'user')}`}
            description="A deactivated user can no longer sign in. The account is kept."
            autoComplete="off"
            spellCheck={false}
            maw={360}
            data-autofocus
            value={typed}
            error={asked && !isReady ? `Type the word ${CONFIRMATION}, with a capital C.` : undefined}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Group gap="xs">
          <Button variant="default" onClick={onCancel} disabled={isBusy}>
            {cancelLabel}
          </Button>
          <Button type="submit" loading={isBusy} {...(needsWord && { color: 'red' })}>
            {confirmLabel(verb, counts, corrected)}
          </Button>
        </Group>
        {needsWord && !isReady && !asked && (
          <Text size="xs" c="dimmed">
            The button works once the word is typed.
          </Text>
        )}
      </Stack>
    </form>
  );
}

interface ConfirmDialogProps extends ConfirmFormProps {
  readonly title: string;
  readonly opened: boolean;
}

/** The same as a dialogue over a screen. */
export function ConfirmDialog({ title, opened, ...form }: ConfirmDialogProps) {
  return (
    <Modal opened={opened} onClose={form.onCancel} title={title} centered size="lg">
      <ConfirmForm {...form} />
    </Modal>
  );
}
