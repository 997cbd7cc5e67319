import { Alert, Center, Code, Paper, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import { ProviderButton } from './ProviderButton';
import { TokenForm } from './TokenForm';

/** The first page of someone who is not signed in, or whose token is refused. */
export function SignInPage({ refusal }: { readonly refusal: string | undefined }) {
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack gap="md">
          <Title order={1} size="h3">
            User Import
          </Title>
          {refusal !== undefined && (
            <Alert
              color="red"
              icon={<IconAlertTriangle aria-hidden />}
              title="The server does not accept this sign-in"
              role="alert"
            >
              {refusal}
            </Alert>
          )}
          <ProviderButton />
          <TokenForm />
          <Text size="sm" c="dimmed">
            On the machine that runs the server, <Code>user-import token local --console</Code> prints an
            address that signs you in. Elsewhere, ask your administrator for a token.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
