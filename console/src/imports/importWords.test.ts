import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import { ImportPhase, ImportProgressSchema } from '~/gen/userimport/v1/types_pb';

import { readImportSearch } from './importSearch';
import { durationOf, importTitle, progressInWords, progressShare } from './importWords';

const ID = '018f4e9e-5c7b-7000-8000-000000000001';

test('an import is called by its source, and an undo by what it reverses', () => {
  expect(importTitle({ source: 'hr.csv', undoes: '', importId: ID })).toBe('hr.csv');
  expect(importTitle({ source: '', undoes: '', importId: ID })).toBe('Import 018f4e9e');
  expect(importTitle({ source: 'undo', undoes: ID, importId: 'other' })).toBe('Undo of import 018f4e9e');
});

test.each([
  [0, 7, '7 ms'],
  [0, 59_400, '59 s'],
  [0, 125_000, '2 min 5 s'],
  [5, 0, '0 ms'],
])('from %d to %d ms are %s', (from, to, words) => {
  expect(durationOf({ startedAt: timestampFromMs(from), finishedAt: timestampFromMs(to) })).toBe(words);
});

test('progress is said in words, and as a share while rows are written', () => {
  const of = (phase: ImportPhase) =>
    create(ImportProgressSchema, {
      phase,
      rowsReceived: 3,
      rowsPlanned: 40,
      rowsApplied: 50,
      rowsTotal: 200,
    });
  expect(progressInWords(undefined)).toBe('Waiting for news');
  expect(progressInWords(of(ImportPhase.PLANNING))).toBe('Checking: 40 of 200 rows');
  expect(progressInWords(of(ImportPhase.APPLYING))).toBe('Importing: 50 of 200 rows');
  expect(progressShare(of(ImportPhase.APPLYING))).toBe(25);
  expect(progressShare(of(ImportPhase.PLANNING))).toBeUndefined();
});

test('an address lists the states that there are, and no others', () => {
  expect(readImportSearch({ state: 'held' })).toEqual({ state: 'held' });
  expect(readImportSearch({ state: 'toString' })).toEqual({});
});
