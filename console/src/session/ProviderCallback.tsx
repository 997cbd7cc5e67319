import { useRouter } from '@tanstack/react-router';

import { finishProviderSignIn } from './provider';
import { ProviderStep } from './ProviderStep';
import { keepToken } from './token';

/** The page that the identity provider comes back to. */
export function ProviderCallback() {
  const router = useRouter();
  const finish = async () => {
    const {
      token,
      state: { channel, returnTo = '/console/' },
    } = await finishProviderSignIn();
    if (channel !== undefined) {
      // The page that opened this window goes on with the token.
      new BroadcastChannel(channel).postMessage(token);
      window.close();
    } else {
      keepToken(token);
      router.history.replace(returnTo);
    }
  };
  return <ProviderStep take={finish} />;
}
