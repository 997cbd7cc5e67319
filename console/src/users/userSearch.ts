// What the list of users is narrowed to. It is part of the address, so that a link keeps it.

import { UserOrder } from '~/gen/userimport/v1/directory_service_pb';
import { UserStatus } from '~/gen/userimport/v1/types_pb';

/** The orders, by their words in an address; with a hyphen before: the other way round. */
const ORDERS = {
  name: UserOrder.LAST_NAME,
  id: UserOrder.EXTERNAL_ID,
  email: UserOrder.EMAIL,
  status: UserOrder.STATUS,
  badge: UserOrder.BADGE_NUMBER,
} as const;

export type OrderWord = keyof typeof ORDERS;

export interface UserSearch {
  sort?: OrderWord | `-${OrderWord}` | undefined;
  text?: string | undefined;
  status?: 'active' | 'inactive' | undefined;
  /** Name of a role. */
  role?: string | undefined;
  /** External ID of a group. */
  group?: string | undefined;
}

export function readUserSearch(search: Record<string, unknown>): UserSearch {
  const { status } = search;
  return {
    ...textOf(search, 'text'),
    ...((status === 'active' || status === 'inactive') && { status }),
    ...textOf(search, 'role'),
    ...textOf(search, 'group'),
    ...sortOf(search.sort),
  };
}

function textOf(search: Record<string, unknown>, name: keyof UserSearch): UserSearch {
  const value = search[name];
  // The router reads a number where an address has one.
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? { [name]: text } : {};
}

function sortOf(sort: unknown): Pick<UserSearch, 'sort'> {
  const word = typeof sort === 'string' ? sort.replace(/^-/, '') : '';
  return Object.hasOwn(ORDERS, word) ? { sort: sort as UserSearch['sort'] } : {};
}

/** The order as ListUsers takes it. */
export function userOrder({ sort = 'id' }: UserSearch) {
  return { orderBy: ORDERS[orderWord(sort)], descending: sort.startsWith('-') };
}

/** The column of an order. */
export function orderWord(sort: NonNullable<UserSearch['sort']>): OrderWord {
  return sort.replace(/^-/, '') as OrderWord;
}

/** The order after a click on the head of a column: up, then down. */
export function nextSort(column: OrderWord, sort: UserSearch['sort']): NonNullable<UserSearch['sort']> {
  return sort === column || (column === 'id' && sort === undefined) ? `-${column}` : column;
}

/** The filters as ListUsers and ExportUsers take them. */
export function userFilters({ text = '', status, role = '', group = '' }: UserSearch) {
  const statuses = { active: UserStatus.ACTIVE, inactive: UserStatus.INACTIVE };
  return { text, status: status ? statuses[status] : UserStatus.UNSPECIFIED, role, group };
}

export function isFiltered({ text, status, role, group }: UserSearch): boolean {
  return Boolean(text ?? status ?? role ?? group);
}
