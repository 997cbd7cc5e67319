import { useSearch } from '@tanstack/react-router';

import { beginProviderSignIn, readSignInConfiguration } from './provider';
import { ProviderStep } from './ProviderStep';

/** A window of its own for a sign-in, whose page goes on meanwhile. */
export function ProviderWindow() {
  const { channel } = useSearch({ from: '/sign-in/window' });
  const begin = async () => {
    const { provider } = await readSignInConfiguration();
    if (provider) {
      await beginProviderSignIn(provider, { channel });
    }
  };
  return <ProviderStep take={begin} />;
}
