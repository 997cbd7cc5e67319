import type { RowIssue } from '~/review/issues';
import type { ResultStore } from '~/review/ResultStore';

import { MOST_CORRECTIONS } from './CorrectedRows';

/** The rejected rows with the same value and the same suggestion, as far as they can be corrected at once. */
export function rowsWithIssue(review: ResultStore | undefined, issue: RowIssue): number[] {
  const rows: number[] = [];
  if (!review) {
    return rows;
  }
  for (const index of review.indices('rejected')) {
    const isSame = review
      .issuesOf(index)
      .some(
        (one) =>
          one.code === issue.code &&
          one.column === issue.column &&
          one.value === issue.value &&
          one.suggestion === issue.suggestion,
      );
    if (isSame && review.sentValues(index) && rows.push(review.rowNumber(index)) === MOST_CORRECTIONS) {
      break;
    }
  }
  return rows;
}
