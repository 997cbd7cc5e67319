// Forgets the imports of this tab when the user signs out: what was chosen, and the copies of the files.

import { onTokenChange, token } from '~/session/token';

import { removeDrafts } from './draft';

export function forgetImportsOnSignOut(): void {
  onTokenChange(() => {
    if (token() === null) {
      void forgetImports();
    }
  });
}

async function forgetImports(): Promise<void> {
  const uploadIds = removeDrafts(sessionStorage);
  if (uploadIds.length > 0) {
    const { rosterFiles } = await import('./rosterFiles');
    await Promise.all(uploadIds.map((uploadId) => rosterFiles.remove(uploadId)));
  }
}
