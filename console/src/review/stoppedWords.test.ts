import { expect, test } from 'vitest';

import { restInWords } from './stoppedWords';

const NONE = { rows: 20_000, created: 0, updated: 0, unchanged: 0, rejected: 0, deactivated: 0 };

test.each([
  [NONE, 'Nothing was written.'],
  [
    { ...NONE, created: 4000, updated: 400, unchanged: 50, rejected: 30 },
    '15,520 of 20,000 rows were not imported. What was written stays.',
  ],
  [
    { ...NONE, created: 20_000, deactivated: 1 },
    'All rows were imported, but users who are not listed may still be Active. What was written stays.',
  ],
])('what a stopped import did not reach is said in words (%#)', (counts, words) => {
  expect(restInWords(counts)).toBe(words);
});
