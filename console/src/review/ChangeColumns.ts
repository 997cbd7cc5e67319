// The changes of all rows in flat lists: the column's number, the value before and the value after.

import type { ColumnChange, RowOutcome } from '~/gen/userimport/v1/types_pb';

import { NumberColumn } from './NumberColumn';
import { ROSTER_COLUMNS } from './rosterColumns';
import { StringPool } from './StringPool';

/** A cell that a row changes. */
export interface CellChange {
  /** Name of the roster's column. */
  readonly column: string;
  /** Unset: blank, or not known. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const NO_CHANGES: readonly CellChange[] = [];

export class ChangeColumns {
  // Where each row's changes end.
  private readonly ends = new NumberColumn();
  private readonly columnNumbers = new NumberColumn();
  private readonly before: (string | undefined)[] = [];
  private readonly after: (string | undefined)[] = [];
  private readonly pools: StringPool[] = [];
  private readonly names: string[] = [...ROSTER_COLUMNS];
  // The numbers of the columns that the rows of each outcome change or are faulty in.
  private readonly seen = new Map<RowOutcome, Set<number>>();

  /** Adds the changes of the next row. */
  push(outcome: RowOutcome, changes: readonly ColumnChange[]): void {
    for (const { column, before, after } of changes) {
      const number = this.numberOf(column);
      this.see(outcome, number);
      const pool = (this.pools[number] ??= new StringPool());
      this.columnNumbers.push(number);
      this.before.push(before === undefined ? undefined : pool.share(before));
      this.after.push(after === undefined ? undefined : pool.share(after));
    }
    this.ends.push(this.columnNumbers.length);
  }

  /** Notes columns that are shown though no row changes them. */
  note(outcome: RowOutcome, columns: readonly string[]): void {
    for (const column of columns) {
      if (column !== '') {
        this.see(outcome, this.numberOf(column));
      }
    }
  }

  at(index: number): readonly CellChange[] {
    const from = index === 0 ? 0 : this.ends.at(index - 1);
    const to = this.ends.at(index);
    if (from === to) {
      return NO_CHANGES;
    }
    return Array.from({ length: to - from }, (_, offset) => ({
      column: this.names[this.columnNumbers.at(from + offset)] ?? '',
      before: this.before[from + offset],
      after: this.after[from + offset],
    }));
  }

  /** Whether a change of the row gives a value that is looked for. Makes no objects: it is asked for every row. */
  hasAfter(index: number, isWanted: (column: string, after: string) => boolean): boolean {
    const to = this.ends.at(index);
    for (let at = index === 0 ? 0 : this.ends.at(index - 1); at < to; at++) {
      const after = this.after[at];
      if (after !== undefined && isWanted(this.names[this.columnNumbers.at(at)] ?? '', after)) {
        return true;
      }
    }
    return false;
  }

  /** The columns that rows of these outcomes change or are faulty in, in the roster's order, and `others`. */
  columns(outcomes: readonly RowOutcome[], others: readonly string[] = []): readonly string[] {
    return this.names.filter(
      (name, number) =>
        others.includes(name) || outcomes.some((outcome) => this.seen.get(outcome)?.has(number)),
    );
  }

  private see(outcome: RowOutcome, number: number): void {
    let numbers = this.seen.get(outcome);
    if (!numbers) {
      numbers = new Set();
      this.seen.set(outcome, numbers);
    }
    numbers.add(number);
  }

  private numberOf(column: string): number {
    const known = this.names.indexOf(column);
    return known >= 0 ? known : this.names.push(column) - 1;
  }
}
