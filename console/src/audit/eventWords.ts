// Audit events in words.

import { AuditAction, AuditOutcome, type AuditEvent } from '~/gen/userimport/v1/audit_service_pb';
import { principalName } from '~/shared/people';
import { plural } from '~/shared/time';

/** What an action is called in the filter. */
export const ACTION_WORDS: Readonly<Record<AuditAction, string>> = {
  [AuditAction.UNSPECIFIED]: 'Something that this page does not know',
  [AuditAction.ORGANIZATION_CREATED]: 'Organisation created',
  [AuditAction.CATALOG_UPDATED]: 'Catalog changed',
  [AuditAction.USER_PROTECTION_CHANGED]: 'Protection of a user changed',
  [AuditAction.USERS_EXPORTED]: 'Users exported',
  [AuditAction.IMPORT_PREVIEWED]: 'Import reviewed',
  [AuditAction.IMPORT_REFUSED]: 'Import refused',
  [AuditAction.IMPORT_BEGUN]: 'Import begun',
  [AuditAction.IMPORT_RESUMED]: 'Import resumed',
  [AuditAction.IMPORT_CANCEL_REQUESTED]: 'Import told to stop',
  [AuditAction.IMPORT_ENDED]: 'Import ended',
  [AuditAction.TOKEN_CREATED]: 'Token made',
  [AuditAction.TOKEN_REVOKED]: 'Token revoked',
  [AuditAction.CALL_DENIED]: 'Request denied',
  [AuditAction.PRIVILEGED_ROLES_GRANTED]: 'Privileged roles given or taken',
  [AuditAction.EVENTS_ARCHIVED]: 'Audit events archived',
  [AuditAction.MAPPING_SAVED]: 'Mapping saved',
  [AuditAction.MAPPING_DELETED]: 'Mapping deleted',
  [AuditAction.IMPORT_HELD]: 'Import held for review',
  [AuditAction.IMPORT_APPROVED]: 'Import approved',
  [AuditAction.IMPORT_DISCARDED]: 'Import discarded',
  [AuditAction.IMPORT_HOLD_EXPIRED]: 'Held import expired',
};

/** What the subject of an event is, as far as there is a screen for it. */
export type SubjectKind = 'import' | 'user' | 'other';

/** "E. Admin", "The holder of the local token", "An operator". */
export function actorName(principal: string): string {
  switch (principal) {
    case 'local':
      return 'The holder of the local token';
    case 'operator':
      return 'An operator';
    default:
      return principalName(principal);
  }
}

/** An event as a sentence: who did it, then `before`, the subject if it has a screen, and `after`. */
export interface EventWords {
  readonly before: string;
  readonly kind: SubjectKind;
  readonly after: string;
}

export function eventInWords(event: AuditEvent): EventWords {
  const { action, details, subject } = event;
  const about = (before: string, kind: SubjectKind = 'other', after = '') => ({ before, kind, after });
  switch (action) {
    case AuditAction.ORGANIZATION_CREATED:
      return about(' created the organisation');
    case AuditAction.CATALOG_UPDATED:
      return about(` changed the catalog${catalogChanges(details)}`);
    case AuditAction.USER_PROTECTION_CHANGED:
      return about(details.protected === 'true' ? ' protected' : ' ended the protection of', 'user');
    case AuditAction.USERS_EXPORTED:
      return about(` exported ${details.filtered === 'true' ? 'some' : 'all'} users`);
    case AuditAction.TOKEN_CREATED:
      return about(details.permissions ? ` made a token with ${details.permissions}` : ' made a token');
    case AuditAction.TOKEN_REVOKED:
      return about(' revoked a token');
    case AuditAction.CALL_DENIED:
      return about(` was denied the request ${subject.split('/').at(-1) ?? subject}`);
    case AuditAction.EVENTS_ARCHIVED:
      return about(` archived the events of this trail up to ${details.through ?? 'an unknown one'}`);
    case AuditAction.MAPPING_SAVED:
      return about(` saved the mapping “${subject}”`);
    case AuditAction.MAPPING_DELETED:
      return about(` deleted the mapping “${subject}”`);
    default:
      return importInWords(event);
  }
}

function importInWords({ action, details, outcome }: AuditEvent): EventWords {
  const about = (before: string, after = '') => ({ before, kind: 'import' as const, after });
  switch (action) {
    case AuditAction.IMPORT_PREVIEWED:
      return about(' reviewed the import', countsOf(details));
    case AuditAction.IMPORT_REFUSED:
      return about(' sent the import', ', which was refused');
    case AuditAction.IMPORT_HELD:
      return about(' sent the import', ', which a guard held for review');
    case AuditAction.IMPORT_BEGUN:
      return about(' began the import', details.rows ? ` of ${plural(Number(details.rows), 'row')}` : '');
    case AuditAction.IMPORT_RESUMED:
      return about(' resumed the import');
    case AuditAction.IMPORT_CANCEL_REQUESTED:
      return about(' told the import', ' to stop');
    case AuditAction.IMPORT_ENDED:
      return about('’s import', ` ${ENDS[outcome] ?? 'ended'}${countsOf(details)}`);
    case AuditAction.PRIVILEGED_ROLES_GRANTED:
      return about('’s import', ` changed who has privileged roles${privileged(details)}`);
    case AuditAction.IMPORT_APPROVED:
      return about(' approved the import', details.sent_by && `, sent by ${actorName(details.sent_by)}`);
    case AuditAction.IMPORT_DISCARDED:
      return about(' discarded the import');
    case AuditAction.IMPORT_HOLD_EXPIRED:
      return about('’s import', ' expired before anybody approved it');
    default:
      return { before: ' did something that this page does not know', kind: 'other', after: '' };
  }
}

const ENDS: Partial<Record<AuditOutcome, string>> = {
  [AuditOutcome.COMPLETED]: 'completed',
  [AuditOutcome.CANCELLED]: 'was stopped',
  [AuditOutcome.INTERRUPTED]: 'was interrupted',
};

const COUNTED = ['created', 'updated', 'unchanged', 'rejected', 'deactivated'] as const;

/** ": 12 created, 3 rejected". */
function countsOf(details: Readonly<Record<string, string>>): string {
  const counts = COUNTED.filter((name) => Number(details[name] ?? 0) > 0).map(
    (name) => `${Number(details[name]).toLocaleString('en-GB')} ${name}`,
  );
  return counts.length > 0 ? `: ${counts.join(', ')}` : '';
}

const CATALOG_CHANGES: readonly (readonly [string, string])[] = [
  ['roles_added', 'added'],
  ['roles_removed', 'removed'],
  ['roles_renamed', 'renamed'],
  ['roles_marked_privileged', 'made privileged'],
  ['roles_unmarked_privileged', 'made no longer privileged'],
];

function catalogChanges(details: Readonly<Record<string, string>>): string {
  const changes = CATALOG_CHANGES.flatMap(([name, word]) => {
    const names = namesOf(details[name]);
    return names ? [`${word} ${names}`] : [];
  });
  return changes.length > 0 ? `: roles ${changes.join('; ')}` : '';
}

function privileged({ granted, taken }: Readonly<Record<string, string>>): string {
  const parts = [
    ...(namesOf(granted) ? [`given ${namesOf(granted)}`] : []),
    ...(namesOf(taken) ? [`taken ${namesOf(taken)}`] : []),
  ];
  return parts.length > 0 ? `: ${parts.join('; ')}` : '';
}

/** A JSON list of names, and how many more there are, as people write lists. */
export function namesOf(list: string | undefined): string {
  const [, json, more = ''] = /^(\[.*\])(.*)$/s.exec(list ?? '') ?? [];
  if (json === undefined) {
    return list ?? '';
  }
  try {
    return (JSON.parse(json) as unknown[]).map(String).join(', ') + more;
  } catch {
    return list ?? '';
  }
}

/** How it ended, if that is not plain from the words. */
export const OUTCOME_WORDS: Readonly<Record<AuditOutcome, string>> = {
  [AuditOutcome.UNSPECIFIED]: 'Not known',
  [AuditOutcome.DONE]: 'Done',
  [AuditOutcome.REFUSED]: 'Refused: nothing was written',
  [AuditOutcome.COMPLETED]: 'Completed',
  [AuditOutcome.CANCELLED]: 'Stopped: what was written stays',
  [AuditOutcome.INTERRUPTED]: 'Interrupted: it can be resumed',
};

/** What a detail of an event is called. */
export function detailName(name: string): string {
  const words = name.replaceAll('_', ' ').replace('sha256', 'SHA-256');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
