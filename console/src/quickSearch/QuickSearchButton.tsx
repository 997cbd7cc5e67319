import { ActionIcon, Button, Kbd } from '@mantine/core';
import { useOs } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';

import { openQuickSearch } from './openQuickSearch';

/** The quick search in the head of the page. */
export function QuickSearchButton() {
  const os = useOs();
  const keys = os === 'macos' || os === 'ios' ? '⌘K' : 'Ctrl+K';
  return (
    <>
      <Button
        visibleFrom="sm"
        variant="default"
        size="xs"
        c="dimmed"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={<Kbd size="xs">{keys}</Kbd>}
        onClick={openQuickSearch}
      >
        Go to
      </Button>
      <ActionIcon
        hiddenFrom="sm"
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Go to a screen, a user or an import"
        onClick={openQuickSearch}
      >
        <IconSearch size={20} stroke={1.6} aria-hidden />
      </ActionIcon>
    </>
  );
}
