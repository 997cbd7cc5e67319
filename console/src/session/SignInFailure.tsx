import { Anchor } from '@mantine/core';

import { SignInAlert } from './SignInAlert';
import { SignInFrame } from './SignInFrame';

/** The identity provider did not sign somebody in. */
export function SignInFailure({ failure }: { readonly failure: string }) {
  return (
    <SignInFrame>
      <SignInAlert title="The identity provider did not sign you in" reason={failure} />
      <Anchor href="/console/" size="sm">
        Try again
      </Anchor>
    </SignInFrame>
  );
}
