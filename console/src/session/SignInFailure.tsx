import { Alert, Anchor, Center, Paper, Stack, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

/** The identity provider did not sign somebody in. */
export function SignInFailure({ failure }: { readonly failure: string }) {
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack gap="md">
          <Title order={1} size="h3">
            User Import
          </Title>
          <Alert
            color="red"
            icon={<IconAlertTriangle aria-hidden />}
            title="The identity provider did not sign you in"
            role="alert"
          >
            {failure}
          </Alert>
          <Anchor href="/console/" size="sm">
            Try again
          </Anchor>
        </Stack>
      </Paper>
    </Center>
  );
}
