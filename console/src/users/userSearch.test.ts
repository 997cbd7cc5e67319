import { expect, test } from 'vitest';

import { UserStatus } from '~/gen/userimport/v1/types_pb';

import { isFiltered, readUserSearch, userFilters } from './userSearch';

test('an address keeps what is known, and nothing else', () => {
  expect(readUserSearch({ text: 4711, status: 'gone', role: 'Officer', group: '', other: 1 })).toEqual({
    text: '4711',
    role: 'Officer',
  });
});

test('filters are sent as the server takes them', () => {
  expect(userFilters({ status: 'inactive', role: 'Officer' })).toEqual({
    text: '',
    status: UserStatus.INACTIVE,
    role: 'Officer',
    group: '',
  });
  expect(userFilters({}).status).toBe(UserStatus.UNSPECIFIED);
});

test('a list without filters is told from one with a filter', () => {
  expect(isFiltered({})).toBe(false);
  expect(isFiltered({ group: 'K9' })).toBe(true);
});
