import { Center, Paper, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The frame of a page for somebody who is not signed in. */
export function SignInFrame({ children }: { readonly children: ReactNode }) {
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack gap="md">
          <Title order={1} size="h3">
            User Import
          </Title>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
