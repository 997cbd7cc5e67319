// How an import is called and described.

import { timestampDate } from '@bufbuild/protobuf/wkt';

import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportPhase, ImportState, type ImportProgress } from '~/gen/userimport/v1/types_pb';
import { plural } from '~/shared/time';

/** True: it may change yet. */
export function isRunning(state: ImportState): boolean {
  return state === ImportState.RECEIVING || state === ImportState.APPLYING;
}

/** True: the counts say what was written. False: they say what would have been. */
export function isWritten({ state, validateOnly }: Pick<Import, 'state' | 'validateOnly'>): boolean {
  return !validateOnly && state !== ImportState.REFUSED && state !== ImportState.HELD;
}

/** The source of a roster; an undo and a roster without a source are named by what they are. */
export function importTitle({
  source,
  undoes,
  importId,
}: Pick<Import, 'source' | 'undoes' | 'importId'>): string {
  if (undoes) {
    return `Undo of import ${shortId(undoes)}`;
  }
  return source || `Import ${shortId(importId)}`;
}

/** The beginning of an ID, by which people tell imports apart. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** How long it took: "3 ms", "12 s", "2 min 5 s". */
export function durationOf({ startedAt, finishedAt }: Pick<Import, 'startedAt' | 'finishedAt'>): string {
  if (!startedAt || !finishedAt) {
    return '';
  }
  const milliseconds = timestampDate(finishedAt).getTime() - timestampDate(startedAt).getTime();
  if (milliseconds < 1000) {
    return `${Math.max(0, milliseconds)} ms`;
  }
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What an import is doing, as "Importing: 12,000 of 100,000 rows". */
export function progressInWords(progress: ImportProgress | undefined): string {
  if (!progress) {
    return 'Waiting for news';
  }
  const { phase, rowsReceived, rowsPlanned, rowsApplied, rowsTotal } = progress;
  const of = (done: number) =>
    rowsTotal > 0 ? `${done.toLocaleString('en-GB')} of ${plural(rowsTotal, 'row')}` : plural(done, 'row');
  switch (phase) {
    case ImportPhase.PLANNING:
      return `Checking: ${of(rowsPlanned)}`;
    case ImportPhase.APPLYING:
      return `Importing: ${of(rowsApplied)}`;
    case ImportPhase.DEACTIVATING:
      return 'Deactivating users who are not listed';
    default:
      return `Receiving: ${of(rowsReceived)}`;
  }
}

/** Per cent that are done; undefined: not known. */
export function progressShare(progress: ImportProgress | undefined): number | undefined {
  if (!progress || progress.rowsTotal === 0 || progress.phase !== ImportPhase.APPLYING) {
    return undefined;
  }
  return (100 * progress.rowsApplied) / progress.rowsTotal;
}
