import type { RowIssue } from '~/review/issues';
import type { ResultStore } from '~/review/ResultStore';

/** The same for issues with the same value in the same column, and the same suggestion. */
export function issueKey({ code, column, value, suggestion }: RowIssue): string {
  return JSON.stringify([code, column, value, suggestion]);
}

/** Those of the rows that can be corrected, by their issues with a suggestion. */
export function rowsByIssue(review: ResultStore, rows: readonly number[]): Map<string, number[]> {
  const alike = new Map<string, number[]>();
  for (const row of rows) {
    const index = review.indexOfRow(row);
    if (index === undefined || !review.sentValues(index)) {
      continue;
    }
    for (const issue of review.issuesOf(index)) {
      if (issue.isError && issue.suggestion !== '') {
        const key = issueKey(issue);
        alike.set(key, [...(alike.get(key) ?? []), row]);
      }
    }
  }
  return alike;
}
