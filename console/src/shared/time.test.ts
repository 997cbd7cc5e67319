import { expect, test } from 'vitest';

import { durationInWords, plural, relativeTime } from './time';

const NOW = new Date('2026-11-30T12:00:00Z');

test.each([
  ['2026-11-30T12:00:00Z', 'now'],
  ['2026-11-30T11:59:15Z', '45 seconds ago'],
  ['2026-11-30T11:00:00Z', '1 hour ago'],
  ['2026-12-02T12:00:00Z', 'in 2 days'],
  ['2026-01-05T12:00:00Z', '5 Jan 2026'],
])('%s is %s', (at, words) => expect(relativeTime(new Date(at), NOW)).toBe(words));

test.each([
  [0, '1 second'],
  [59_001, '1 minute'],
  [61_000, '2 minutes'],
  [3_600_001, '2 hours'],
])('%d ms are %s', (milliseconds, words) => expect(durationInWords(milliseconds)).toBe(words));

test('counts have separators and the right number', () => {
  expect(plural(1, 'row')).toBe('1 row');
  expect(plural(1204, 'row')).toBe('1,204 rows');
  expect(plural(2, 'user is', 'users are')).toBe('2 users are');
});
