// Which rows each tab has, by row number. Results may come in any order; nearly always they come in that of the rows.

import { RowOutcome } from '~/gen/userimport/v1/types_pb';

import { NumberColumn } from './NumberColumn';

export type Tab = 'all' | 'created' | 'updated' | 'unchanged' | 'rejected' | 'warnings';

const STANDING = [RowOutcome.CREATED, RowOutcome.UPDATED, RowOutcome.UNCHANGED];

/** The outcomes that the rows of each tab have. */
export const OUTCOMES_OF: Readonly<Record<Tab, readonly RowOutcome[]>> = {
  all: [...STANDING, RowOutcome.REJECTED],
  created: [RowOutcome.CREATED],
  updated: [RowOutcome.UPDATED],
  unchanged: [RowOutcome.UNCHANGED],
  rejected: [RowOutcome.REJECTED],
  warnings: STANDING,
};

const TAB_OF: Readonly<Record<RowOutcome, Tab>> = {
  [RowOutcome.UNSPECIFIED]: 'all',
  [RowOutcome.CREATED]: 'created',
  [RowOutcome.UPDATED]: 'updated',
  [RowOutcome.UNCHANGED]: 'unchanged',
  [RowOutcome.REJECTED]: 'rejected',
};

interface TabRows {
  readonly indices: NumberColumn;
  /** Number of the last row. */
  last: number;
  isSorted: boolean;
  sorted: Uint32Array | undefined;
}

function noRows(): TabRows {
  return { indices: new NumberColumn(), last: 0, isSorted: true, sorted: undefined };
}

export class RowOrder {
  private readonly tabs: Record<Tab, TabRows> = {
    all: noRows(),
    created: noRows(),
    updated: noRows(),
    unchanged: noRows(),
    rejected: noRows(),
    warnings: noRows(),
  };
  private readonly rowNumbers = new NumberColumn();

  push(index: number, row: number, outcome: RowOutcome, hasWarning: boolean): void {
    this.rowNumbers.push(row);
    this.pushTo(this.tabs.all, index, row);
    const tab = TAB_OF[outcome];
    if (tab !== 'all') {
      this.pushTo(this.tabs[tab], index, row);
    }
    if (hasWarning && outcome !== RowOutcome.REJECTED) {
      this.pushTo(this.tabs.warnings, index, row);
    }
  }

  indices(tab: Tab): Uint32Array {
    const rows = this.tabs[tab];
    if (rows.sorted?.length !== rows.indices.length) {
      rows.sorted = rows.indices.view().slice();
      if (!rows.isSorted) {
        rows.sorted.sort((a, b) => this.rowNumbers.at(a) - this.rowNumbers.at(b));
      }
    }
    return rows.sorted;
  }

  counts(): Record<Tab, number> {
    const count = (tab: Tab) => this.tabs[tab].indices.length;
    return {
      all: count('all'),
      created: count('created'),
      updated: count('updated'),
      unchanged: count('unchanged'),
      rejected: count('rejected'),
      warnings: count('warnings'),
    };
  }

  /** Index of the row with this number, by halving. */
  indexOfRow(row: number): number | undefined {
    const sorted = this.indices('all');
    let low = 0;
    let high = sorted.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const index = sorted[middle] ?? 0;
      const there = this.rowNumbers.at(index);
      if (there === row) {
        return index;
      }
      if (there < row) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return undefined;
  }

  private pushTo(rows: TabRows, index: number, row: number): void {
    rows.indices.push(index);
    rows.isSorted &&= row > rows.last;
    rows.last = row;
  }
}
