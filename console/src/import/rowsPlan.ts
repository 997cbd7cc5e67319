// What the corrected rows are confirmed to do. They are applied after the file, so what they would do is looked at once
// more before that.

import { RowOutcome } from '~/gen/userimport/v1/types_pb';
import type { PlannedCounts } from '~/review/confirmWords';
import type { ResultStore } from '~/review/ResultStore';

export interface RowsPlan {
  readonly rows: readonly { readonly row: number; readonly outcome: RowOutcome }[];
  /** Active users who become Inactive. */
  readonly goingInactive: number;
}

/** What the judged rows would do. */
export function planOf(judged: ResultStore): RowsPlan {
  const indices = Array.from(judged.indices('all'));
  const rows = indices.map((index) => ({ row: judged.rowNumber(index), outcome: judged.outcome(index) }));
  // Rows of the file that are judged along count in the server's number, but are confirmed with the file.
  const withStatus = indices.filter(
    (index) =>
      judged.outcome(index) === RowOutcome.UPDATED &&
      judged.row(index).changes.some(({ column }) => column === 'STATUS'),
  );
  const goingInactive = Math.min(judged.summary?.goingInactive ?? 0, withStatus.length);
  return { rows, goingInactive };
}

/** True: the same rows have the same outcomes, and no more users become Inactive than was confirmed. */
export function keepsTo(confirmed: RowsPlan, planned: ResultStore): boolean {
  const now = new Map(planOf(planned).rows.map(({ row, outcome }) => [row, outcome]));
  return (
    now.size === confirmed.rows.length &&
    confirmed.rows.every(({ row, outcome }) => now.get(row) === outcome) &&
    (planned.summary?.goingInactive ?? 0) <= confirmed.goingInactive
  );
}

/** What the rows would do, in numbers. */
export function countsOf({ rows, goingInactive }: RowsPlan): PlannedCounts {
  const count = (wanted: RowOutcome) => rows.filter(({ outcome }) => outcome === wanted).length;
  return {
    created: count(RowOutcome.CREATED),
    updated: count(RowOutcome.UPDATED),
    deactivated: goingInactive,
  };
}
