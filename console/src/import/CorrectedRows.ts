// Rejected rows that are corrected in the review. They are typed rows of an import of their own, which follows the import
// of the file: judged by a dry run as soon as they are corrected, applied once the file has been imported (FollowUpImport.ts).

import { fromJson, toJson, type JsonObject } from '@bufbuild/protobuf';

import { problemOf } from '~/api/problem';
import { UserRowSchema, type UserRow } from '~/gen/userimport/v1/types_pb';
import type { RowIssue } from '~/review/issues';
import { ResultStore } from '~/review/ResultStore';
import { fieldOf } from '~/review/rosterColumns';

import { holdersIn, rowsNamedBy } from './contextRows';
import type { Correction } from './draft';
import type { ImportSession } from './ImportSession';
import { pushRows } from './pushRows';
import { readRows } from './readRows';
import { issueKey, rowsByIssue } from './sameIssue';

/** Most rows of one call. */
export const MOST_CORRECTIONS = 1000;
/** How often rows that others count on are looked for. */
const ROUNDS = 6;

export class CorrectedRows {
  private reading = new AbortController();
  private judging = new AbortController();
  /** The rows that can be corrected, by what is wrong with them. */
  private alike = new Map<string, number[]>();

  constructor(private readonly session: ImportSession) {}

  /** Begins with a new review: reads the values of its rejected rows, and judges the corrections that still apply. */
  async begin(): Promise<void> {
    const { session } = this;
    const { review } = session.state.get();
    if (!review) {
      return;
    }
    const rejected = new Set<number>();
    for (const index of review.indices('rejected')) {
      rejected.add(review.rowNumber(index));
    }
    const still = session.draft.corrections.filter(({ row }) => rejected.has(row));
    session.keep({ corrections: still });
    // What was judged beside an earlier review does not count for this one.
    session.show({ judged: undefined, judgingProblem: undefined, isJudging: still.length > 0 });
    this.stop();
    this.reading = new AbortController();
    const { signal } = this.reading;
    const wanted = [...rejected].slice(0, MOST_CORRECTIONS);
    try {
      await readRows(session, wanted, signal, (row, values) => review.keepSent(row, values));
    } catch (thrown) {
      // Without their values rows cannot be corrected here. They still can be in the file.
      if (!signal.aborted) {
        session.show({ judgingProblem: problemOf(thrown), isJudging: false });
      }
      return;
    }
    if (signal.aborted) {
      return;
    }
    this.alike = rowsByIssue(review, wanted);
    if (session.draft.corrections.length > 0) {
      await this.judge();
    }
  }

  /** Whether the row can be corrected here. */
  values(row: number): UserRow | undefined {
    const { review } = this.session.state.get();
    const corrected = this.find(row);
    if (corrected) {
      return fromJson(UserRowSchema, corrected.values);
    }
    const index = review?.indexOfRow(row);
    return index === undefined ? undefined : review?.sentValues(index);
  }

  find(row: number): Correction | undefined {
    return this.session.draft.corrections.find((one) => one.row === row);
  }

  /** The rows with the same value and the same suggestion, as far as they can be corrected here. */
  rowsWith(issue: RowIssue): readonly number[] {
    return this.alike.get(issueKey(issue)) ?? [];
  }

  /** Corrects one cell of each of these rows. */
  setCell(rows: readonly number[], column: string, value: string): void {
    const field = fieldOf(column);
    const corrected = rows.flatMap((row) => {
      const values = this.values(row);
      return field && values ? [{ row, values: { ...values, [field]: value } }] : [];
    });
    this.set(corrected);
  }

  /** Takes rows along as they are: what they counted on has been corrected. */
  take(rows: readonly number[]): void {
    this.set(
      rows.flatMap((row) => [this.values(row)].flatMap((values) => (values ? [{ row, values }] : []))),
    );
  }

  /** Corrects rows, and has them judged. */
  set(corrected: readonly { row: number; values: UserRow }[]): void {
    const kept = new Map(this.session.draft.corrections.map((one) => [one.row, one]));
    for (const { row, values } of corrected) {
      kept.set(row, { row, values: toJson(UserRowSchema, values) as JsonObject });
    }
    const corrections = [...kept.values()].sort((a, b) => a.row - b.row).slice(0, MOST_CORRECTIONS);
    this.session.keep({ corrections });
    void this.judge();
  }

  /** Takes a correction back. */
  remove(row: number): void {
    const corrections = this.session.draft.corrections.filter((one) => one.row !== row);
    this.session.keep({ corrections });
    void this.judge();
  }

  /** Stops what goes on. */
  stop(): void {
    this.reading.abort();
    this.judging.abort();
  }

  /** True: every corrected row has been judged, as it is now. */
  isJudged(): boolean {
    const { draft, judged, judgingProblem, isJudging } = this.session.state.get();
    return (
      draft.corrections.length === 0 ||
      (!isJudging &&
        !judgingProblem &&
        draft.corrections.every(({ row }) => judged?.indexOfRow(row) !== undefined))
    );
  }

  /** How many corrected rows would stand, as judged. */
  standing(): number {
    const { judged } = this.session.state.get();
    return judged ? judged.count - judged.counts().rejected : 0;
  }

  /** Judges all corrected rows as one set. */
  async judge(): Promise<void> {
    const { session } = this;
    this.judging.abort();
    this.judging = new AbortController();
    const { signal } = this.judging;
    const { corrections } = session.draft;
    if (corrections.length === 0) {
      session.show({ judged: undefined, judgingProblem: undefined, isJudging: false });
      return;
    }
    session.show({ isJudging: true, judgingProblem: undefined });
    try {
      const judged = await this.judgeTogether(corrections, signal);
      signal.throwIfAborted();
      session.show({ judged, isJudging: false });
    } catch (thrown) {
      if (!signal.aborted) {
        session.show({ isJudging: false, judgingProblem: problemOf(thrown) });
      }
    }
  }

  /** Judges the corrected rows together with the rows of the file that they touch. */
  private async judgeTogether(corrections: readonly Correction[], signal: AbortSignal): Promise<ResultStore> {
    const { session } = this;
    const { review } = session.state.get();
    const together = new Map(corrections.map((one) => [one.row, one]));
    const own = new Set(corrections.map(({ row }) => row));
    let judged = new ResultStore();
    // A supervisor may have a supervisor in the file, and so on. A few rounds reach all but the longest of such chains.
    for (let round = 0; round < ROUNDS; round++) {
      const rows = [...together.values()].map(({ values }) => fromJson(UserRowSchema, values));
      const named = review ? rowsNamedBy(review, rows, holdersIn(judged)) : [];
      const more = named.filter((row) => !together.has(row)).slice(0, MOST_CORRECTIONS - together.size);
      if (more.length === 0 && round > 0) {
        break;
      }
      await readRows(session, more, signal, (row, values) =>
        together.set(row, { row, values: toJson(UserRowSchema, values) as JsonObject }),
      );
      const sorted = [...together.values()].sort((a, b) => a.row - b.row);
      judged = await pushRows(session, sorted, { importId: '', wanted: own }, signal);
    }
    return judged;
  }
}
