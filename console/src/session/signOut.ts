import { forgetToken } from './token';

/** Ends the sign-in, and forgets everything that this tab has kept. */
export function signOut(): void {
  // Those who keep files of imports remove them when they hear that the token is gone.
  forgetToken();
  sessionStorage.clear();
}
