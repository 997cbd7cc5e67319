import { Code, Text } from '@mantine/core';

import { ProviderButton } from './ProviderButton';
import { SignInAlert } from './SignInAlert';
import { SignInFrame } from './SignInFrame';
import { TokenForm } from './TokenForm';

/** The first page of someone who is not signed in, or whose token is refused. */
export function SignInPage({ refusal }: { readonly refusal: string | undefined }) {
  return (
    <SignInFrame>
      {refusal !== undefined && (
        <SignInAlert title="The server does not accept this sign-in" reason={refusal} />
      )}
      <ProviderButton />
      <TokenForm />
      <Text size="sm" c="dimmed">
        On the machine that runs the server, <Code>user-import token local --console</Code> prints an address
        that signs you in. Elsewhere, ask your administrator for a token.
      </Text>
    </SignInFrame>
  );
}
