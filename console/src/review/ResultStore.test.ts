import { create } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';

import { WatchImportResponseSchema } from '~/gen/userimport/v1/import_service_pb';
import {
  ColumnChangeSchema,
  DeactivatedUserSchema,
  IssueCode,
  IssueSeverity,
  RowOutcome,
  RowResultSchema,
  UserRowSchema,
} from '~/gen/userimport/v1/types_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';

import { collectResults } from './collectResults';
import { ResultStore } from './ResultStore';
import { searchRows } from './useFilteredRows';

type Result = MessageInitShape<typeof RowResultSchema>;

function result(row: number, outcome: RowOutcome, more: Result = {}) {
  return create(RowResultSchema, { row, line: row + 1, outcome, externalId: `P-${row}`, ...more });
}

function change(column: string, before?: string, after?: string) {
  return create(ColumnChangeSchema, {
    column,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  });
}

test('tabs list the rows by number, in whatever order they came', () => {
  const store = new ResultStore();
  store.add([result(3, RowOutcome.CREATED), result(1, RowOutcome.REJECTED), result(2, RowOutcome.CREATED)]);
  const rows = (tab: 'all' | 'created' | 'rejected') => [...store.indices(tab)].map((i) => store.row(i).row);
  expect(rows('all')).toEqual([1, 2, 3]);
  expect(rows('created')).toEqual([2, 3]);
  expect(rows('rejected')).toEqual([1]);
  store.add([result(5, RowOutcome.CREATED), result(4, RowOutcome.CREATED)]);
  expect(rows('all')).toEqual([1, 2, 3, 4, 5]);
  expect(store.counts()).toMatchObject({ all: 5, created: 4, updated: 0, rejected: 1 });
  expect(store.row(store.indexOfRow(4) ?? 0).row).toBe(4);
  expect(store.indexOfRow(6)).toBeUndefined();
});

test('a row has its changes and issues, blank apart from unknown', () => {
  const store = new ResultStore();
  const issues = [
    {
      severity: IssueSeverity.WARNING,
      code: IssueCode.LEADING_ZEROS_LOST,
      column: 'BADGE_NUMBER',
      message: 'Look at it.',
      suggestion: '0500',
    },
  ];
  store.add([
    result(1, RowOutcome.UNCHANGED),
    result(2, RowOutcome.UPDATED, {
      changes: [change('RANK', 'Sergeant'), change('ROLE', 'A', 'B')],
      issues,
    }),
  ]);
  const [, second] = [...store.indices('all')];
  const row = store.row(second ?? 0);
  expect(row.changes).toEqual([
    { column: 'RANK', before: 'Sergeant', after: undefined },
    { column: 'ROLE', before: 'A', after: 'B' },
  ]);
  expect(row.issues).toMatchObject([{ isError: false, column: 'BADGE_NUMBER', suggestion: '0500' }]);
  expect([...store.indices('warnings')]).toEqual([second]);
  expect(store.columns()).toEqual(['BADGE_NUMBER', 'ROLE', 'RANK']);
  expect(store.columns('created')).toEqual([]);
});

test('results of a record take their values from the review of the same plan', () => {
  const reviewed = new ResultStore();
  reviewed.add([result(2, RowOutcome.UPDATED, { changes: [change('ROLE', 'A', 'B')] })]);
  const store = new ResultStore(reviewed);
  store.add([result(2, RowOutcome.UPDATED, { changes: [change('ROLE')] })]);
  expect(store.row(0).changes).toEqual([{ column: 'ROLE', before: 'A', after: 'B' }]);
});

test('a deactivation that is sent twice counts once', () => {
  const store = new ResultStore();
  const user = create(DeactivatedUserSchema, { userId: 'u', externalId: 'P-9' });
  store.addDeactivations([user]);
  store.addDeactivations([user]);
  expect(store.deactivated).toEqual([{ userId: 'u', externalId: 'P-9', email: '' }]);
});

test('the values of a rejected row are kept beside it', () => {
  const store = new ResultStore();
  store.add([result(2, RowOutcome.REJECTED), result(1, RowOutcome.CREATED)]);
  store.keepSent(2, create(UserRowSchema, { externalId: 'P-2', role: 'Oficer', phone: '' }));
  expect(store.sentValues(0)?.role).toBe('Oficer');
  expect(store.sentValues(1)).toBeUndefined();
  expect(store.columns()).toEqual(['EXTERNAL_ID', 'ROLE', 'PHONE']);
});

test('listeners hear of many results a few times a second', () => {
  vi.useFakeTimers();
  const store = new ResultStore();
  const listener = vi.fn();
  store.subscribe(listener);
  for (let row = 1; row <= 1000; row++) {
    store.add([result(row, RowOutcome.CREATED)]);
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  expect(listener.mock.calls.length).toBeLessThan(8);
  expect(store.count).toBe(1000);
  vi.useRealTimers();
});

test('a search finds parts of IDs, values and messages in any case, and can be stopped', async () => {
  const store = new ResultStore();
  const rows = Array.from({ length: 3000 }, (_, index) =>
    result(index + 1, RowOutcome.CREATED, { changes: [change('EMAIL', undefined, `Ann${index}@x.example`)] }),
  );
  store.add(rows);
  const found = (needle: string) =>
    new Promise<number>((resolve) => {
      searchRows(store, store.indices('all'), needle, (indices, isSearching) => {
        if (!isSearching) {
          resolve(indices.length);
        }
      });
    });
  expect(await found('ann2999@')).toBe(1);
  expect(await found('p-17')).toBe(111);
  const tell = vi.fn();
  searchRows(store, store.indices('all'), 'ann', tell).abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(tell).not.toHaveBeenCalled();
});

test('a stream fills the store', async () => {
  const store = new ResultStore();
  async function* stream() {
    await Promise.resolve();
    yield create(WatchImportResponseSchema, { message: { case: 'started', value: { importId: 'i' } } });
    yield create(WatchImportResponseSchema, {
      message: { case: 'results', value: { results: [result(1, RowOutcome.CREATED)] } },
    });
    yield create(WatchImportResponseSchema, { message: { case: 'summary', value: { rows: 1 } } });
  }
  await collectResults(stream(), store);
  expect([store.started?.importId, store.count, store.summary?.rows]).toEqual(['i', 1, 1]);
});
