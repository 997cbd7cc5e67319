import { useEffect, useRef, useState } from 'react';

import { Loading } from '~/shared/Loading';

import { providerFault } from './providerFault';
import { SignInFailure } from './SignInFailure';

/** Takes a step of the sign-in with the identity provider, and shows why if the step fails. */
export function ProviderStep({ take }: { readonly take: () => Promise<unknown> }) {
  const begun = useRef(false);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    // A step is taken only once: the provider's answer is not valid a second time.
    if (begun.current) {
      return;
    }
    begun.current = true;
    take().catch((error: unknown) => setFailure(providerFault(error)));
  }, [take]);
  return failure === undefined ? <Loading label="Signing in" /> : <SignInFailure failure={failure} />;
}
