import { beforeEach, expect, test } from 'vitest';

import { OpenUploads } from './openUploads';

beforeEach(() => localStorage.clear());

test('uploads of tabs that are gone are found by another tab, once', () => {
  let now = 0;
  const closed = new OpenUploads(localStorage, () => now);
  closed.note('pd', 'a');
  closed.note('other', 'b');
  closed.note('pd', 'c');
  closed.forget('c');
  now = 60_000;
  const next = new OpenUploads(localStorage, () => now);
  expect(next.takeAbandoned('pd')).toEqual([]);
  now = 200_000;
  next.note('pd', 'd');
  now = 600_000;
  expect(next.gone()).toEqual(['a', 'b']);
  expect(next.takeAbandoned('pd')).toEqual(['a']);
  expect(next.takeAbandoned('pd')).toEqual([]);
});

test('what another program wrote in the storage is no harm', () => {
  localStorage.setItem('user-import.uploads', '{');
  expect(new OpenUploads(localStorage).takeAbandoned('pd')).toEqual([]);
});
