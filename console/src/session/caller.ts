// Whose things this tab holds: drafts, files and answers belong to the person who was signed in when they were made.

import type { GetCallerResponse } from '~/gen/userimport/v1/directory_service_pb';

export type Caller = Pick<GetCallerResponse, 'principal' | 'organization'>;

const KEY = 'user-import.caller';

/** Keeps who is signed in, for the tab's life. Signing out forgets it. */
export function keepCaller(caller: Caller): void {
  sessionStorage.setItem(KEY, nameOf(caller));
}

/** True: what this tab has belongs to the caller, or to nobody yet. */
export function isSameCaller(caller: Caller): boolean {
  const kept = sessionStorage.getItem(KEY);
  return kept === null || kept === nameOf(caller);
}

/** A renewed token has another ID, and its old name. */
function nameOf({ principal, organization }: Caller): string {
  return JSON.stringify([principal.replace(/^token \S+ (?=\()/, 'token '), organization]);
}
