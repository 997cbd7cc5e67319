import { Center, Stack, Text, ThemeIcon } from '@mantine/core';
import type { ReactNode } from 'react';

export interface EmptyStateProps {
  readonly icon: ReactNode;
  readonly title: string;
  /** What to do about it. */
  readonly children: ReactNode;
}

/** Stands in the place of an empty table, and says what to do. */
export function EmptyState({ icon, title, children }: EmptyStateProps) {
  return (
    <Center mih={240} p="md">
      <Stack align="center" gap="xs" maw={460}>
        <ThemeIcon variant="light" color="gray" size={48} radius="xl" aria-hidden>
          {icon}
        </ThemeIcon>
        <Text fw={600}>{title}</Text>
        <Text component="div" size="sm" c="dimmed" ta="center">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}
