// Copies of the files that are being imported, in the browser's own database, so that an import goes on after a reload. A
// copy is removed when its import has ended without rejected rows, when another file is imported, and when the user signs
// out. A tab that is closed before leaves its copy behind: the next tab that begins an import removes it, once it is a day
// old or its tab has not been seen for some minutes.

import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';

interface KeptFile {
  readonly file: File;
  readonly keptAt: number;
}

const LONGEST_LIFE = 24 * 60 * 60 * 1000;

let opened: UseStore | undefined;

function store(): UseStore {
  opened ??= createStore('user-import-rosters', 'files');
  return opened;
}

/** What keeps the files. */
export interface RosterFiles {
  readonly keep: (uploadId: string, file: File) => Promise<void>;
  readonly find: (uploadId: string) => Promise<File | undefined>;
  readonly remove: (uploadId: string) => Promise<void>;
}

/** Removes the copies that tabs have left behind: older than a day, or of uploads whose tabs are `gone`. */
export async function removeLeftBehind(gone: readonly string[]): Promise<void> {
  for (const [key, { keptAt }] of await entries<string, KeptFile>(store())) {
    if (gone.includes(key) || isOld(keptAt)) {
      await del(key, store());
    }
  }
}

export function isOld(keptAt: number, now = Date.now()): boolean {
  return keptAt < now - LONGEST_LIFE;
}

export const rosterFiles: RosterFiles = {
  async keep(uploadId, file) {
    await set(uploadId, { file, keptAt: Date.now() } satisfies KeptFile, store());
  },
  async find(uploadId) {
    return (await get<KeptFile>(uploadId, store()))?.file;
  },
  remove: (uploadId) => del(uploadId, store()),
};
