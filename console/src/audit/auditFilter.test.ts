import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import { AuditAction, AuditEventSchema } from '~/gen/userimport/v1/audit_service_pb';

import { isFiltered, passes } from './auditFilter';

const event = create(AuditEventSchema, {
  action: AuditAction.IMPORT_BEGUN,
  principal: 'token 1 (nightly)',
  at: timestampFromDate(new Date(2026, 10, 30, 23, 59, 59)),
});

test.each([
  [{}, true],
  [{ action: AuditAction.IMPORT_BEGUN, actor: 'nightly (token)' }, true],
  [{ action: AuditAction.IMPORT_ENDED }, false],
  [{ actor: 'somebody else' }, false],
  [{ from: '2026-11-30', to: '2026-11-30' }, true],
  [{ from: '2026-12-01' }, false],
  [{ to: '2026-11-29' }, false],
])('%o lets the event pass: %s', (filter, expected) => expect(passes(event, filter)).toBe(expected));

test('a filter without a condition is none', () => {
  expect(isFiltered({ action: undefined, from: undefined })).toBe(false);
  expect(isFiltered({ to: '2026-11-29' })).toBe(true);
});
