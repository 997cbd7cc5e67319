// What the list of users is narrowed to. It is part of the address, so that a link keeps it.

import { UserStatus } from '~/gen/userimport/v1/types_pb';

export interface UserSearch {
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
  };
}

function textOf(search: Record<string, unknown>, name: keyof UserSearch): UserSearch {
  const value = search[name];
  // The router reads a number where an address has one.
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? { [name]: text } : {};
}

/** The filters as ListUsers and ExportUsers take them. */
export function userFilters({ text = '', status, role = '', group = '' }: UserSearch) {
  const statuses = { active: UserStatus.ACTIVE, inactive: UserStatus.INACTIVE };
  return { text, status: status ? statuses[status] : UserStatus.UNSPECIFIED, role, group };
}

export function isFiltered({ text, status, role, group }: UserSearch): boolean {
  return Boolean(text ?? status ?? role ?? group);
}
