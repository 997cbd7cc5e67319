// An import that is being made ready or is running: everything that has to outlive a reload. It is kept in the storage of
// the tab, one for each organisation. The file itself is elsewhere (rosterFiles.ts).

import type { JsonObject } from '@bufbuild/protobuf';

import { NO_CHOICES, NO_READING, type ImportChoices, type Reading } from './options';
import type { RowsPlan } from './rowsPlan';
import type { RosterKind } from './uploadRoster';

export type Step = 'file' | 'columns' | 'options' | 'review' | 'confirm' | 'results';

export interface RosterFile {
  readonly name: string;
  readonly size: number;
  readonly kind: RosterKind;
}

/** A dry run or an import on the server. */
export interface BegunRun {
  readonly importId: string;
  /** True: the server has the roster whole. */
  readonly isFinished: boolean;
}

export interface Draft {
  readonly version: 2;
  /** Who began it. */
  readonly principal: string;
  readonly step: Step;
  readonly file: RosterFile | null;
  /** ID of the upload that reviews and import take the roster from. */
  readonly uploadId: string;
  /** SHA-256 of the file in hexadecimal; empty: not made yet. */
  readonly sha256: string;
  readonly reading: Reading;
  readonly mapping: JsonObject | null;
  /** True: something did not match, so the step Columns is gone through. */
  readonly hasColumnsStep: boolean;
  readonly choices: ImportChoices;
  /** The last dry run, and the options that it had. */
  readonly review: (BegunRun & { readonly options: string }) | null;
  /** Why it was reviewed again; empty: it was not. */
  readonly notice: string;
  /** Rejected rows that were corrected, as typed rows, by their number in the file. */
  readonly corrections: readonly Correction[];
  readonly apply: (BegunRun & { readonly planDigest: string; readonly confirmation: string }) | null;
  /** The import of the corrected rows. */
  readonly followUp: {
    readonly importId: string;
    /** The plan that was looked at before the import began. */
    readonly planDigest: string;
    readonly isDone: boolean;
  } | null;
  /** What the corrected rows were confirmed to do. */
  readonly confirmedRows: RowsPlan | null;
}

export interface Correction {
  /** Number of the row in the file. */
  readonly row: number;
  readonly values: JsonObject;
}

export const EMPTY_DRAFT: Draft = {
  version: 2,
  principal: '',
  step: 'file',
  file: null,
  uploadId: '',
  sha256: '',
  reading: NO_READING,
  mapping: null,
  hasColumnsStep: false,
  choices: NO_CHOICES,
  review: null,
  notice: '',
  corrections: [],
  apply: null,
  followUp: null,
  confirmedRows: null,
};

const PREFIX = 'user-import.import.';

export function loadDraft(organization: string, storage: Storage): Draft {
  const kept = storage.getItem(PREFIX + organization);
  if (kept === null) {
    return EMPTY_DRAFT;
  }
  try {
    const draft = JSON.parse(kept) as Draft;
    // What an earlier version of the page kept is not read.
    return (draft.version as number) === EMPTY_DRAFT.version ? { ...EMPTY_DRAFT, ...draft } : EMPTY_DRAFT;
  } catch {
    return EMPTY_DRAFT;
  }
}

export function saveDraft(organization: string, draft: Draft, storage: Storage): void {
  if (draft.file === null) {
    storage.removeItem(PREFIX + organization);
    return;
  }
  storage.setItem(PREFIX + organization, JSON.stringify(draft));
}

/** The IDs of the uploads of this tab's drafts. */
export function ownUploads(storage: Storage): string[] {
  return draftKeys(storage).map((key) => loadDraft(key.slice(PREFIX.length), storage).uploadId);
}

function draftKeys(storage: Storage): string[] {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
  return keys.filter((key) => key.startsWith(PREFIX));
}

/** Removes the drafts of all organisations. Returns the IDs of their uploads. */
export function removeDrafts(storage: Storage): string[] {
  const uploadIds = ownUploads(storage);
  draftKeys(storage).forEach((key) => storage.removeItem(key));
  return uploadIds;
}
