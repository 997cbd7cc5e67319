import { expect, test } from 'vitest';

import { datedName, sizeInWords } from './download';

test('a file is named after the viewer’s date', () => {
  expect(datedName('pd-users', 'csv', new Date(2026, 0, 5, 23, 59))).toBe('pd-users-2026-01-05.csv');
});

test.each([
  [1, '1 byte'],
  [999, '999 bytes'],
  [1234, '1.2 kB'],
  [104_857_600, '104.9 MB'],
])('%d bytes are %s', (bytes, words) => expect(sizeInWords(bytes)).toBe(words));
