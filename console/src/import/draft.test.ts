import { beforeEach, expect, test } from 'vitest';

import { EMPTY_DRAFT, ownUploads, removeDrafts, saveDraft } from './draft';
import { isOld } from './rosterFiles';

beforeEach(() => sessionStorage.clear());

test('the uploads of all drafts of the tab are known, and removed with them', () => {
  const file = { name: 'a.csv', size: 1, kind: 'csv' } as const;
  sessionStorage.setItem('another', 'x');
  saveDraft('pd', { ...EMPTY_DRAFT, file, uploadId: 'a' }, sessionStorage);
  saveDraft('fd', { ...EMPTY_DRAFT, file, uploadId: 'b' }, sessionStorage);
  expect(ownUploads(sessionStorage).sort()).toEqual(['a', 'b']);
  expect(removeDrafts(sessionStorage).sort()).toEqual(['a', 'b']);
  expect(sessionStorage).toHaveLength(1);
});

test('a copy is old after a day', () => {
  const day = 24 * 60 * 60 * 1000;
  expect(isOld(0, day)).toBe(false);
  expect(isOld(0, day + 1)).toBe(true);
});
