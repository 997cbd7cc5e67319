// What is wrong with a row, or worth knowing about it, without the message object that it came in.

import { plainWords } from '~/api/plainWords';
import { IssueCode, IssueSeverity, type Issue } from '~/gen/userimport/v1/types_pb';

import type { StringPool } from './StringPool';

export interface RowIssue {
  readonly isError: boolean;
  readonly code: IssueCode;
  /** The roster's column; empty: the row as a whole. */
  readonly column: string;
  /** The file's own name of the column, if it has another one. */
  readonly fileColumn: string;
  readonly value: string;
  readonly message: string;
  /** Empty: none. */
  readonly suggestion: string;
  /** The other row that this is about; 0: none. */
  readonly relatedRow: number;
  /** External ID of the other user that this is about; empty: none. */
  readonly relatedExternalId: string;
}

export function rowIssue(issue: Issue, pool: StringPool): RowIssue {
  return {
    isError: issue.severity === IssueSeverity.ERROR,
    code: issue.code,
    column: pool.share(issue.column),
    fileColumn: pool.share(issue.fileColumn),
    value: pool.share(issue.value),
    message: pool.share(plainWords(issue.message)),
    suggestion: pool.share(issue.suggestion),
    relatedRow: issue.relatedRow,
    relatedExternalId: pool.share(issue.relatedExternalId),
  };
}

export function hasWarning(issues: readonly Issue[]): boolean {
  return issues.some(({ severity }) => severity === IssueSeverity.WARNING);
}

/** The upper-snake word of a code, as the error file has it: "UNKNOWN_ROLE". */
export function codeWord(code: IssueCode): string {
  return IssueCode[code];
}
