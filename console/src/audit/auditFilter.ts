// Which of the loaded events are shown.

import { timestampDate } from '@bufbuild/protobuf/wkt';

import type { AuditAction, AuditEvent } from '~/gen/userimport/v1/audit_service_pb';

import { actorName } from './eventWords';

export interface AuditFilter {
  readonly action?: AuditAction | undefined;
  /** As it is shown. */
  readonly actor?: string | undefined;
  /** Days of the viewer, as "2026-11-30"; both are included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function passes(event: AuditEvent, { action, actor, from, to }: AuditFilter): boolean {
  const at = event.at ? timestampDate(event.at) : undefined;
  return (
    (action === undefined || event.action === action) &&
    (actor === undefined || actorName(event.principal) === actor) &&
    (!from || (at !== undefined && at >= new Date(`${from}T00:00:00`))) &&
    (!to || (at !== undefined && at <= new Date(`${to}T23:59:59.999`)))
  );
}

export function isFiltered({ action, actor, from, to }: AuditFilter): boolean {
  return action !== undefined || Boolean(actor ?? from ?? to);
}
