// What is left of an import that was stopped before its end, and how it is brought in.

import { plural } from '~/shared/time';

export interface ReachedCounts {
  /** Rows of the file. */
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly deactivated: number;
}

/** True: the import changed a user. */
export function hasWritten({ created, updated, deactivated }: ReachedCounts): boolean {
  return created + updated + deactivated > 0;
}

/** What the stopped import did not reach. */
export function restInWords(counts: ReachedCounts): string {
  const { rows, created, updated, unchanged, rejected } = counts;
  if (!hasWritten(counts)) {
    return 'Nothing was written.';
  }
  const rest = rows - created - updated - unchanged - rejected;
  const written = 'What was written stays.';
  return rest > 0
    ? `${rest.toLocaleString('en-GB')} of ${plural(rows, 'row')} were not imported. ${written}`
    : `All rows were imported, but users who are not listed may still be Active. ${written}`;
}
