// Whether the server has refused the token of this tab, and why. The page then asks for another one over what is shown,
// so that nothing that was begun is lost.

import { useSyncExternalStore } from 'react';

import { onTokenChange, token } from './token';

let refused: { token: string | null; reason: string } | undefined;
const listeners = new Set<() => void>();

/** Notes that the server refused a call with this token. A token that has been replaced meanwhile does not count. */
export function signInEnded(sent: string | null, reason: string): void {
  if (sent === token() && refused?.token !== sent) {
    refused = { token: sent, reason };
    changed();
  }
}

onTokenChange(() => {
  refused = undefined;
  changed();
});

export interface SignInState {
  /** The token of this tab; `null`: none. */
  readonly token: string | null;
  /** The server's sentence, if it refuses the token. */
  readonly refusal: string | undefined;
}

let state: SignInState | undefined;

function changed(): void {
  state = undefined;
  for (const listener of listeners) {
    listener();
  }
}

function current(): SignInState {
  state ??= { token: token(), refusal: refused?.reason };
  return state;
}

export function useSignInState(): SignInState {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
