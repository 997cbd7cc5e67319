import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';

import { AuditEventSchema, ListAuditEventsResponseSchema } from '~/gen/userimport/v1/audit_service_pb';

import exported from './fixtures/chain.json';
import { NO_HASH } from './eventHash';
import { verifyTrail } from './verifyTrail';

const events = exported.events.map((event) => fromJson(AuditEventSchema, event as JsonValue));
const last = events.at(-1);
const head = { sequence: last?.sequence ?? 0n, hash: last?.hash ?? NO_HASH };

const respond = (part: typeof events, nextPageToken = '', end = head) =>
  create(ListAuditEventsResponseSchema, { events: part, nextPageToken, head: end });

test('the pages of a trail are verified as one chain', async () => {
  const page = vi.fn((token: string) =>
    Promise.resolve(token === '' ? respond(events.slice(0, 7), 'more') : respond(events.slice(7))),
  );
  const onProgress = vi.fn();
  const found = await verifyTrail({ organization: exported.organization, page, onProgress });
  expect(found).toMatchObject({ kind: 'whole', count: 15, chain: { archivedThrough: 14n } });
  expect(onProgress.mock.calls).toEqual([
    [7, 15],
    [15, 15],
  ]);
});

test('a page that lacks an event breaks the chain', async () => {
  const page = () => Promise.resolve(respond(events.toSpliced(8, 1)));
  const found = await verifyTrail({ organization: exported.organization, page, onProgress: () => undefined });
  expect(found).toEqual({ kind: 'broken', how: 'Event 9 is missing.', verified: 8 });
});

test('archived events that are removed meanwhile are no break', async () => {
  const pages = [respond(events.slice(0, 3), 'more'), respond(events.slice(5)), respond(events.slice(5, 6))];
  const page = () => Promise.resolve(pages.shift() ?? respond([]));
  const found = await verifyTrail({ organization: exported.organization, page, onProgress: () => undefined });
  expect(found).toEqual({ kind: 'changed' });
});

test('an empty trail vouches for nothing', async () => {
  const page = () => Promise.resolve(respond([], '', { sequence: 0n, hash: NO_HASH }));
  expect(await verifyTrail({ organization: 'pd', page, onProgress: () => undefined })).toEqual({
    kind: 'empty',
  });
});
