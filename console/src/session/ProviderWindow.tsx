import { useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { Loading } from '~/shared/Loading';

import { beginProviderSignIn, readSignInConfiguration } from './provider';
import { providerFault } from './providerFault';
import { SignInFailure } from './SignInFailure';

/** A window of its own for a sign-in, whose page goes on meanwhile. */
export function ProviderWindow() {
  const { channel } = useSearch({ from: '/sign-in/window' });
  const begun = useRef(false);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    if (begun.current) {
      return;
    }
    begun.current = true;
    readSignInConfiguration()
      .then(({ provider }) => provider && beginProviderSignIn(provider, { channel }))
      .catch((error: unknown) => setFailure(providerFault(error)));
  }, [channel]);
  return failure === undefined ? <Loading label="Signing in" /> : <SignInFailure failure={failure} />;
}
