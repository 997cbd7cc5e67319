// Who uses this page, for which organisation, and what they may do: the server's answer to GetCaller.

import { createContext, use } from 'react';

/** What a credential may do, by the API's names. */
export type Permission =
  | 'users.read'
  | 'users.import'
  | 'users.deactivate'
  | 'users.approve'
  | 'users.grant-privileged'
  | 'catalog.write'
  | 'organizations.write';

export interface Session {
  /** What the caller is called. */
  readonly principal: string;
  /** Who the caller is, as the records of imports name it. */
  readonly credential: string;
  /** Slug of the organisation that is shown; empty: there is none yet. */
  readonly organization: string;
  /** Slugs and names of the organisations that the caller may see, by slug. */
  readonly organizations: readonly { slug: string; displayName: string }[];
  /** When the credential ends; undefined: it does not. */
  readonly expiresAt: Date | undefined;
  readonly serverVersion: string;
  /** Milliseconds that the server's clock is ahead of this computer's. */
  readonly clockOffset: number;
  readonly may: (permission: Permission) => boolean;
}

export const SessionContext = createContext<Session | undefined>(undefined);

/** The session. Only below the page that asks for a sign-in. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) {
    throw new Error('This part of the page is shown to signed-in users only.');
  }
  return session;
}
