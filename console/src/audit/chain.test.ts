import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import {
  AuditAction,
  AuditEventSchema,
  AuditHeadSchema,
  AuditOutcome,
  type AuditEvent,
} from '~/gen/userimport/v1/audit_service_pb';

import { AuditChain } from './chain';
import { eventHash, NO_HASH, toHex } from './eventHash';
import exported from './fixtures/chain.json';

const ORGANISATION = exported.organization;

/** The trail that a server exported. */
const trail = () => exported.events.map((event) => fromJson(AuditEventSchema, event as JsonValue));

const headOf = (event: AuditEvent | undefined) =>
  create(AuditHeadSchema, event ? { sequence: event.sequence, hash: event.hash } : { hash: NO_HASH });

function verify(events: readonly AuditEvent[], head = headOf(events.at(-1))) {
  const chain = new AuditChain(ORGANISATION);
  for (const event of events) {
    chain.follow(event);
  }
  return chain.end(head);
}

test('the encoding is the server’s', () => {
  const event = create(AuditEventSchema, {
    sequence: 7n,
    at: { ...timestampFromMs(1_795_316_400_000), nanos: 123_000 },
    principal: 'token:nightly',
    address: '192.0.2.1:4711',
    action: AuditAction.IMPORT_ENDED,
    subject: '018f4e9e-5c7b-7000-8000-000000000001',
    outcome: AuditOutcome.COMPLETED,
    details: { rows: '20' },
    previousHash: NO_HASH,
  });
  expect(toHex(eventHash('pd', event))).toBe(
    'a3f2fb017a3d8d0d52de3a59647d23a3d4cd6e60c9a60227e4e4955f72e481e9',
  );
});

test('a trail as a server exported it is whole', () => {
  const events = trail();
  const last = events.at(-1);
  expect(verify(events)).toEqual({
    first: 1n,
    last: last?.sequence,
    hash: toHex(last?.hash ?? NO_HASH),
    archivedThrough: 14n,
  });
});

test.each<[string, (event: AuditEvent) => void]>([
  ['the principal', (event) => (event.principal += 'x')],
  ['the address', (event) => (event.address = '')],
  ['the subject', (event) => (event.subject = 'other')],
  ['the action', (event) => (event.action = AuditAction.TOKEN_CREATED)],
  ['the outcome', (event) => (event.outcome = AuditOutcome.REFUSED)],
  ['a detail', (event) => (event.details.roles = '6')],
  ['a new detail', (event) => (event.details.zzz = '')],
  ['the time', (event) => (event.at = timestampFromMs(0))],
])('%s cannot be changed without a trace', (_, change) => {
  const events = trail();
  const changed = events[1];
  if (changed) {
    change(changed);
  }
  expect(() => verify(events)).toThrow('Event 2 was altered');
});

test('an event of another organisation is no event of this trail', () => {
  const chain = new AuditChain('elsewhere');
  expect(() => trail().forEach((event) => chain.follow(event))).toThrow('Event 1 was altered');
});

test('an event in the middle cannot be removed or replaced', () => {
  expect(() => verify(trail().toSpliced(4, 1))).toThrow('Event 5 is missing.');
  const events = trail();
  const forged = events[4];
  if (forged) {
    forged.subject = 'forged';
    forged.hash = eventHash(ORGANISATION, forged);
  }
  expect(() => verify(events)).toThrow('Event 6 does not follow');
});

test('events at the end cannot be removed', () => {
  const events = trail();
  expect(() => verify(events.slice(0, -1), headOf(events.at(-1)))).toThrow('The trail ends with event 14');
});

test('events at the beginning may be gone if an archive of them is recorded', () => {
  const events = trail();
  expect(verify(events.slice(5)).first).toBe(6n);
  expect(() => verify(events.slice(5, -1))).toThrow('Events 1 to 5 are missing.');
});

test('an archive that is recorded must end with an event of the trail', () => {
  const events = trail();
  const record = events.at(-1);
  if (record) {
    record.details.hash = '0'.repeat(64);
    record.hash = eventHash(ORGANISATION, record);
  }
  expect(() => verify(events)).toThrow('Event 15 records an archive that does not end');
});

test('a trail without events has nothing to vouch for', () => {
  expect(verify([]).last).toBe(0n);
});
