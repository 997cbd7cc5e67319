import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { Loading } from '~/shared/Loading';

import { finishProviderSignIn } from './provider';
import { providerFault } from './providerFault';
import { SignInFailure } from './SignInFailure';
import { keepToken } from './token';

/** The page that the identity provider comes back to. */
export function ProviderCallback() {
  const router = useRouter();
  const begun = useRef(false);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    // The provider's answer is good once.
    if (begun.current) {
      return;
    }
    begun.current = true;
    finishProviderSignIn()
      .then(({ token, state: { channel, returnTo = '/console/' } }) => {
        if (channel !== undefined) {
          // The page that opened this window goes on with the token.
          new BroadcastChannel(channel).postMessage(token);
          window.close();
        } else {
          keepToken(token);
          router.history.replace(returnTo);
        }
      })
      .catch((error: unknown) => setFailure(providerFault(error)));
  }, [router]);
  return failure === undefined ? <Loading label="Signing in" /> : <SignInFailure failure={failure} />;
}
