// The import of each organisation in this tab. It outlives the stepper: leaving the screen stops nothing.

import { useSyncExternalStore } from 'react';

import { imports } from '~/api/transport';
import { useSession } from '~/session/Session';
import { onTokenChange, token } from '~/session/token';

import { digestFile } from './digestFile';
import { ImportSession } from './ImportSession';
import { OpenUploads } from './openUploads';
import { rosterFiles } from './rosterFiles';
import type { SessionState } from './sessionState';

const uploads = new OpenUploads(localStorage);
const sessions = new Map<string, ImportSession>();

// Another person may sign in after this one: what was begun is forgotten.
onTokenChange(() => {
  if (token() === null) {
    for (const session of sessions.values()) {
      session.end();
    }
    sessions.clear();
  }
});

function sessionOf(organization: string, canSeeValues: boolean): ImportSession {
  const known = sessions.get(organization);
  if (known) {
    known.canSeeValues = canSeeValues;
    return known;
  }
  const session = new ImportSession(organization, {
    calls: imports,
    files: rosterFiles,
    storage: sessionStorage,
    uploads,
    digest: digestFile,
  });
  session.canSeeValues = canSeeValues;
  sessions.set(organization, session);
  return session;
}

/** The import of the organisation that is shown, and its state. */
export function useImportSession(): { session: ImportSession; state: SessionState } {
  const { organization, may } = useSession();
  const session = sessionOf(organization, may('users.read'));
  const state = useSyncExternalStore(session.state.subscribe, session.state.get);
  return { session, state };
}
