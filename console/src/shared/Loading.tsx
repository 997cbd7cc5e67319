import { Center, Loader, Stack, Text } from '@mantine/core';

/** Says what is being waited for. */
export function Loading({ label }: { readonly label: string }) {
  return (
    <Center mih={200} role="status">
      <Stack align="center" gap="xs">
        <Loader size="sm" aria-hidden />
        <Text size="sm" c="dimmed">
          {label}…
        </Text>
      </Stack>
    </Center>
  );
}
