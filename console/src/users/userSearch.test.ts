import { expect, test } from 'vitest';

import { UserOrder } from '~/gen/userimport/v1/directory_service_pb';
import { UserStatus } from '~/gen/userimport/v1/types_pb';

import { isFiltered, nextSort, readUserSearch, userFilters, userOrder } from './userSearch';

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

test('an order that there is not is none', () => {
  expect(readUserSearch({ sort: '-email' })).toEqual({ sort: '-email' });
  expect(readUserSearch({ sort: '--email' })).toEqual({});
  expect(readUserSearch({ sort: 'valueOf' })).toEqual({});
});

test('users are in the order of their external IDs unless another one is chosen', () => {
  expect(userOrder({})).toEqual({ orderBy: UserOrder.EXTERNAL_ID, descending: false });
  expect(userOrder({ sort: '-name' })).toEqual({ orderBy: UserOrder.LAST_NAME, descending: true });
});

test('a second click on a column turns its order round', () => {
  expect(nextSort('email', undefined)).toBe('email');
  expect(nextSort('email', 'email')).toBe('-email');
  expect(nextSort('email', '-email')).toBe('email');
  expect(nextSort('id', undefined)).toBe('-id');
});
