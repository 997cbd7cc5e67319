import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  AuditAction,
  AuditActionSchema,
  AuditEventSchema,
  AuditOutcome,
} from '~/gen/userimport/v1/audit_service_pb';

import { ACTION_WORDS, actorName, detailName, eventInWords, namesOf } from './eventWords';

const SUBJECT = '018f4e9e-5c7b-7000-8000-000000000001';

function sentence(
  action: AuditAction,
  details: Record<string, string> = {},
  outcome = AuditOutcome.DONE,
): string {
  const event = create(AuditEventSchema, { action, details, outcome, subject: SUBJECT });
  const { before, kind, after } = eventInWords(event);
  return `E. Admin${before}${kind === 'other' ? '' : ` ${kind}-x`}${after}`;
}

test.each([
  [
    sentence(AuditAction.IMPORT_APPROVED, { sent_by: 'token 1 (cad)' }),
    'E. Admin approved the import import-x, sent by cad (token)',
  ],
  [
    sentence(
      AuditAction.IMPORT_ENDED,
      { created: '1200', rejected: '0', updated: '3' },
      AuditOutcome.COMPLETED,
    ),
    'E. Admin’s import import-x completed: 1,200 created, 3 updated',
  ],
  [sentence(AuditAction.IMPORT_BEGUN, { rows: '1' }), 'E. Admin began the import import-x of 1 row'],
  [
    sentence(AuditAction.CATALOG_UPDATED, { roles_added: '["Chief","A, B"]', roles_removed: '[]' }),
    'E. Admin changed the catalog: roles added Chief, A, B',
  ],
  [sentence(AuditAction.USER_PROTECTION_CHANGED, { protected: 'true' }), 'E. Admin protected user-x'],
  [
    sentence(AuditAction.PRIVILEGED_ROLES_GRANTED, { granted: '["Chief: 2"]' }),
    'E. Admin’s import import-x changed who has privileged roles: given Chief: 2',
  ],
])('%s', (said, expected) => expect(said).toBe(expected));

test('every action that the server knows has a sentence and a name', () => {
  const actions = AuditActionSchema.values.map(({ number }) => number);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the numbers are the enum's
  for (const action of actions.slice(1) as AuditAction[]) {
    expect(sentence(action)).not.toContain('does not know');
    expect(ACTION_WORDS[action]).not.toContain('does not know');
  }
});

test('those who have no name of their own are described', () => {
  expect(actorName('local')).toBe('The holder of the local token');
  expect(actorName('token 1 (nightly)')).toBe('nightly (token)');
});

test('lists of names are read, and other texts stay as they are', () => {
  expect(namesOf('["a","b"] and 3 more')).toBe('a, b and 3 more');
  expect(namesOf('["a",')).toBe('["a",');
  expect(namesOf(undefined)).toBe('');
});

test('details have names for people', () => expect(detailName('input_sha256')).toBe('Input SHA-256'));
