// Rows of the file that corrected rows count on or clash with: the row of a supervisor, of a user who gives a value up, or
// of another user with the same value. They are judged together, so that a correction is judged as it will be after the
// import of the file. Which of them matters, and how, is the server's word.

import { RowOutcome, type UserRow } from '~/gen/userimport/v1/types_pb';
import type { ResultStore } from '~/review/ResultStore';

const KEYS = [
  ['EMAIL', 'email'],
  ['BADGE_NUMBER', 'badgeNumber'],
  ['USERNAME', 'username'],
] as const;

/** Numbers of the rows of the file, which stand, that these values name. */
export function rowsNamedBy(
  review: ResultStore,
  rows: readonly UserRow[],
  holders: readonly string[],
): number[] {
  const wanted = new Map(
    KEYS.map(([column, field]) => [column as string, new Set(rows.map((row) => lower(row[field])))]),
  );
  for (const { supervisorEmail } of rows) {
    wanted.get('EMAIL')?.add(lower(supervisorEmail));
  }
  const externalIds = new Set([...holders, ...rows.map(({ externalId }) => externalId ?? '')]);
  externalIds.delete('');
  wanted.forEach((values) => values.delete(''));
  const named: number[] = [];
  for (const tab of ['created', 'updated'] as const) {
    for (const index of review.indices(tab)) {
      if (
        externalIds.has(review.externalId(index)) ||
        review.hasAfter(index, (column, after) => wanted.get(column)?.has(lower(after)) ?? false)
      ) {
        named.push(review.rowNumber(index));
      }
    }
  }
  return named.sort((a, b) => a - b);
}

/** External IDs of the users that errors of the rows are about, such as the holders of taken values. */
export function holdersIn(judged: ResultStore): string[] {
  return Array.from(judged.indices('all')).flatMap((index) =>
    judged.outcome(index) === RowOutcome.REJECTED
      ? judged.issuesOf(index).map(({ relatedExternalId }) => relatedExternalId)
      : [],
  );
}

function lower(value: string | undefined): string {
  return value?.trim().toLowerCase() ?? '';
}
