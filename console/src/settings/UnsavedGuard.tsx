import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';

/** Asks before unsaved changes are left, by a link, the browser's way back, or closing the tab. */
export function UnsavedGuard({ isChanged }: { readonly isChanged: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: () => isChanged,
    enableBeforeUnload: () => isChanged,
    withResolver: true,
  });
  const isAsking = blocker.status === 'blocked';
  const stay = () => isAsking && blocker.reset();
  return (
    <Modal opened={isAsking} onClose={stay} title="Leave without saving?" centered>
      <Stack gap="md">
        <Text size="sm">What you changed here has not been saved, and is lost if you leave.</Text>
        <Group gap="xs">
          <Button variant="default" data-autofocus onClick={stay}>
            Stay
          </Button>
          <Button color="red" onClick={() => isAsking && blocker.proceed()}>
            Leave without saving
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
