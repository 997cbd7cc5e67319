import { expect, test } from 'vitest';

import { ImportState, RowOutcome } from '~/gen/userimport/v1/types_pb';

import { countsInWords, OUTCOME_LOOKS, STATE_LOOKS } from './outcomes';

test('counts are said in one order, without those that are 0', () => {
  const counts = { created: 12, updated: 0, unchanged: 1340, rejected: 2, deactivated: 3 };
  expect(countsInWords(counts)).toBe('12 created, 1,340 unchanged, 2 rejected, 3 deactivated');
  expect(countsInWords({ created: 0, updated: 0, unchanged: 0, rejected: 0 })).toBe('0 rows');
});

test('every outcome and every state has a word of its own', () => {
  const outcomes = Object.values(RowOutcome).filter((value) => typeof value === 'number');
  const states = Object.values(ImportState).filter((value) => typeof value === 'number');
  expect(new Set(outcomes.map((outcome) => OUTCOME_LOOKS[outcome].label)).size).toBe(outcomes.length);
  expect(new Set(states.map((state) => STATE_LOOKS[state].label)).size).toBe(states.length);
});
