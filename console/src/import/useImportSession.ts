// The import of each organisation in this tab. It outlives the stepper: leaving the screen stops nothing.

import { useSyncExternalStore } from 'react';

import { imports } from '~/api/transport';
import { useSession } from '~/session/Session';
import { onTokenChange, token } from '~/session/token';

import { digestFile } from './digestFile';
import { ownUploads } from './draft';
import { ImportSession } from './ImportSession';
import { OpenUploads } from './openUploads';
import { removeLeftBehind, rosterFiles } from './rosterFiles';
import type { SessionState } from './sessionState';

const uploads = new OpenUploads(localStorage);
const sessions = new Map<string, ImportSession>();

// The upload of this tab may have been silent for as long as the tab slept or was loaded again: its copy stays.
const own = ownUploads(sessionStorage);
void removeLeftBehind(uploads.gone().filter((one) => !own.includes(one))).catch(() => undefined);

let lastToken = token();

// Another person may sign in after this one: what was begun is forgotten.
onTokenChange(() => {
  const isNew = token() !== lastToken;
  lastToken = token();
  if (token() !== null) {
    if (isNew) {
      sessions.forEach((session) => session.signedInAnew());
    }
  } else {
    for (const session of sessions.values()) {
      session.end();
    }
    sessions.clear();
  }
});

function sessionOf(organization: string, principal: string, canSeeValues: boolean): ImportSession {
  const known = sessions.get(organization);
  if (known?.parts.principal === principal) {
    known.canSeeValues = canSeeValues;
    return known;
  }
  known?.end();
  const session = new ImportSession(organization, {
    principal,
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
  const { organization, principal, may } = useSession();
  const session = sessionOf(organization, principal, may('users.read'));
  const state = useSyncExternalStore(session.state.subscribe, session.state.get);
  return { session, state };
}
