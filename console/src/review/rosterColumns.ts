// The columns of a roster, in the order of its template, and the field of a typed row that each is.

import type { UserRow } from '~/gen/userimport/v1/types_pb';

export type RowField = Exclude<keyof UserRow, `$${string}`>;

export const FIELDS = {
  EXTERNAL_ID: 'externalId',
  EMAIL: 'email',
  BADGE_NUMBER: 'badgeNumber',
  FIRST_NAME: 'firstName',
  LAST_NAME: 'lastName',
  STATUS: 'status',
  USERNAME: 'username',
  ROLE: 'role',
  SUPERVISOR_EMAIL: 'supervisorEmail',
  LOCATION: 'location',
  RANK: 'rank',
  EVIDENCE_GROUP_EXT_ID: 'evidenceGroupExternalId',
  PHONE: 'phone',
} as const satisfies Record<string, RowField>;

export type RosterColumn = keyof typeof FIELDS;

export const ROSTER_COLUMNS = Object.keys(FIELDS) as readonly RosterColumn[];

/** The field of a typed row that a column is; undefined: there is no such column. */
export function fieldOf(column: string): RowField | undefined {
  return column in FIELDS ? FIELDS[column as RosterColumn] : undefined;
}
