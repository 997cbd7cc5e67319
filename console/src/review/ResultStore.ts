// The results of one import, dry run or undo: up to hundreds of thousands of rows, outside React's state. Messages of the
// API are not kept: a row is a few numbers in typed arrays and its strings. Who shows it asks for the version, which
// changes at most a few times a second, and reads the rows that are in view.

import { RowOutcome, type DeactivatedUser, type RowResult, type UserRow } from '~/gen/userimport/v1/types_pb';
import type { ImportProgress } from '~/gen/userimport/v1/types_pb';
import type { ImportStarted, ImportSummary } from '~/gen/userimport/v1/import_service_pb';

import { ChangeColumns, type CellChange } from './ChangeColumns';
import { hasWarning, rowIssue, type RowIssue } from './issues';
import { NumberColumn } from './NumberColumn';
import { OUTCOMES_OF, RowOrder, type Tab } from './RowOrder';
import { FIELDS, ROSTER_COLUMNS } from './rosterColumns';
import { StringPool } from './StringPool';

/** What is said about one row. */
export interface ReviewedRow {
  /** 1 = first data row. */
  readonly row: number;
  /** Line of the file, or row of the sheet; 0: typed. */
  readonly line: number;
  readonly outcome: RowOutcome;
  readonly externalId: string;
  /** Empty: not known. */
  readonly userId: string;
  readonly changes: readonly CellChange[];
  readonly issues: readonly RowIssue[];
}

const NO_ISSUES: readonly RowIssue[] = [];
/** Rows whose objects are kept. */
const MOST_SHOWN = 500;

export class ResultStore {
  started: ImportStarted | undefined;
  progress: ImportProgress | undefined;
  summary: ImportSummary | undefined;
  /** Users who are deactivated because they are not listed. */
  readonly deactivated: { userId: string; externalId: string; email: string }[] = [];

  private readonly rows = new NumberColumn();
  private readonly lines = new NumberColumn();
  private readonly outcomes: RowOutcome[] = [];
  private readonly externalIds: string[] = [];
  private readonly userIds: string[] = [];
  private readonly changes = new ChangeColumns();
  private readonly issues = new Map<number, readonly RowIssue[]>();
  private readonly sent = new Map<number, UserRow>();
  private readonly order = new RowOrder();
  private readonly shown = new Map<number, ReviewedRow>();
  private readonly messages = new StringPool();
  private readonly deactivatedIds = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private notified = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  version = 0;

  /** Results of the same plan that have the values, for results from a record, which has none. */
  constructor(private readonly reviewed?: ResultStore) {}

  /** True: the rows come from the lines of a file. */
  get hasLines(): boolean {
    return this.lines.at(0) > 0;
  }

  /** How many rows have a result. */
  get count(): number {
    return this.externalIds.length;
  }

  add(results: readonly RowResult[]): void {
    for (const result of results) {
      const index = this.count;
      this.rows.push(result.row);
      this.lines.push(result.line);
      this.outcomes.push(result.outcome);
      this.externalIds.push(result.externalId);
      this.userIds.push(result.userId);
      this.changes.push(result.outcome, result.changes);
      if (result.issues.length > 0) {
        const issues = result.issues.map((issue) => rowIssue(issue, this.messages));
        this.issues.set(index, issues);
        this.changes.note(
          result.outcome,
          issues.map(({ column }) => column),
        );
      }
      this.order.push(index, result.row, result.outcome, hasWarning(result.issues));
    }
    this.changed();
  }

  addDeactivations(users: readonly DeactivatedUser[]): void {
    for (const { userId, externalId, email } of users) {
      // A stream that is taken up again sends them again.
      if (!this.deactivatedIds.has(userId)) {
        this.deactivatedIds.add(userId);
        this.deactivated.push({ userId, externalId, email });
      }
    }
    this.changed();
  }

  update(part: Partial<Pick<ResultStore, 'started' | 'progress' | 'summary'>>): void {
    Object.assign(this, part);
    this.changed();
  }

  /** The indices of the rows of a tab, by row number. */
  indices(tab: Tab): Uint32Array {
    return this.order.indices(tab);
  }

  counts(): Readonly<Record<Tab, number>> {
    return this.order.counts();
  }

  outcome(index: number): RowOutcome {
    return this.outcomes[index] ?? RowOutcome.UNSPECIFIED;
  }

  rowNumber(index: number): number {
    return this.rows.at(index);
  }

  externalId(index: number): string {
    return this.externalIds[index] ?? '';
  }

  /** Whether a cell that the row changes gets a value that is looked for. */
  hasAfter(index: number, isWanted: (column: string, after: string) => boolean): boolean {
    return this.changes.hasAfter(index, isWanted);
  }

  issuesOf(index: number): readonly RowIssue[] {
    return this.issues.get(index) ?? NO_ISSUES;
  }

  /** A row. The same object as last time while it is in view, so that it is not drawn again for nothing. */
  row(index: number): ReviewedRow {
    const known = this.shown.get(index);
    if (known) {
      return known;
    }
    if (this.shown.size >= MOST_SHOWN) {
      this.shown.clear();
    }
    const row = {
      row: this.rows.at(index),
      line: this.lines.at(index),
      outcome: this.outcome(index),
      externalId: this.externalId(index),
      userId: this.userIds[index] ?? '',
      changes: this.changesOf(index),
      issues: this.issuesOf(index),
    };
    this.shown.set(index, row);
    return row;
  }

  /** Whether the row is shown on one line: it has no issues, and no values before and after beside each other. */
  isOneLine(index: number): boolean {
    const outcome = this.outcome(index);
    const isPlain = outcome === RowOutcome.CREATED || outcome === RowOutcome.UNCHANGED;
    return isPlain && !this.issues.has(index);
  }

  /** Index of the row with this number, or undefined. */
  indexOfRow(row: number): number | undefined {
    return this.order.indexOfRow(row);
  }

  /** The names of the roster's columns that rows of the tab change or are faulty in, in the roster's order. */
  columns(tab: Tab = 'all'): readonly string[] {
    return this.changes.columns(OUTCOMES_OF[tab], this.reviewed?.columns(tab));
  }

  /** The values of a rejected row as the server read them; undefined: not known. */
  sentValues(index: number): UserRow | undefined {
    return this.sent.get(index);
  }

  /** Takes the values of a rejected row. */
  keepSent(row: number, values: UserRow): void {
    const index = this.indexOfRow(row);
    if (index !== undefined) {
      this.sent.set(index, values);
      this.changes.note(
        RowOutcome.REJECTED,
        ROSTER_COLUMNS.filter((column) => values[FIELDS[column]] !== undefined),
      );
      this.changed();
    }
  }

  private changesOf(index: number): readonly CellChange[] {
    const own = this.changes.at(index);
    if (!this.reviewed || own.every(({ before, after }) => before !== undefined || after !== undefined)) {
      return own;
    }
    const there = this.reviewed.indexOfRow(this.rows.at(index));
    return there === undefined ? own : this.reviewed.changes.at(there);
  }

  /** Whether a text that the row shows has `needle`, which is in lower case. */
  matches(index: number, needle: string): boolean {
    const has = (text: string | undefined) => text?.toLowerCase().includes(needle) ?? false;
    return (
      has(this.externalId(index)) ||
      this.changesOf(index).some(({ before, after }) => has(before) || has(after)) ||
      this.issuesOf(index).some(({ message, value }) => has(value) || has(message))
    );
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;

  /** Tells the listeners, a few times a second while rows stream in. */
  private changed(): void {
    if (this.timer !== undefined) {
      return;
    }
    const wait = Math.max(0, this.notified + 200 - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.notified = Date.now();
      this.version++;
      for (const listener of this.listeners) {
        listener();
      }
    }, wait);
  }
}
