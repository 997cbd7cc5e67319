import { expect, test } from 'vitest';

import { plainWords } from './plainWords';

test.each([
  [
    '31 of 59 active users would be deactivated, which is more than a roster normally loses. Check that the file is whole; if it is right, state max_deactivations 31.',
    '31 of 59 active users would be deactivated, which is more than a roster normally loses. Check that the file is whole; if it is right, allow 31 deactivations.',
  ],
  [
    '2 rows are rejected, and all_or_nothing applies all rows or none. Correct them, or import without all_or_nothing.',
    '2 rows are rejected, and “All or nothing” imports all rows or none. Correct them, or import without “All or nothing”.',
  ],
  [
    'Correct the rows, or import without deactivate_missing.',
    'Correct the rows, or import without deactivating users who are not listed.',
  ],
  ['The dry run has expired.', 'The review has expired.'],
  ['ROLE "Oficer" is not a role.', 'ROLE "Oficer" is not a role.'],
])('%s', (sent, shown) => expect(plainWords(sent)).toBe(shown));
