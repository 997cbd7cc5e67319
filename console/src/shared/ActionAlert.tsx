import { Alert, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';

interface ActionAlertProps {
  readonly color: 'gray' | 'yellow' | 'orange' | 'red';
  readonly icon?: ReactNode;
  readonly title: string;
  /** How screen readers say it: at once, or when they have finished their sentence. */
  readonly role?: 'alert' | 'status';
  /** What has happened. */
  readonly children: ReactNode;
  /** Buttons for what can be done about it. */
  readonly actions?: ReactNode;
}

/** Says what has happened, and offers what can be done about it. */
export function ActionAlert({ title, role = 'alert', children, actions, ...look }: ActionAlertProps) {
  return (
    <Alert title={title} role={role} {...look}>
      <Stack gap="xs" align="flex-start">
        {children}
        {actions && <Group gap="xs">{actions}</Group>}
      </Stack>
    </Alert>
  );
}
