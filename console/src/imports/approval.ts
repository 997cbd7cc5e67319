// What keeps a caller from approving a held import: the server would refuse it, whatever the plan does.

import type { Import } from '~/gen/userimport/v1/import_service_pb';
import type { Permission, Session } from '~/session/Session';

/** What a caller lacks for an approval. Nothing of it: the server asks no more of the caller. */
export interface ApprovalLack {
  readonly permissions: readonly Permission[];
  /** True: the caller has sent the import, and somebody else has to approve it. */
  readonly isOwn: boolean;
}

/** What the caller lacks to approve this held import. */
export function approvalLack(
  { approvalNeeds, principal }: Pick<Import, 'approvalNeeds' | 'principal'>,
  { may, credential }: Pick<Session, 'may' | 'credential'>,
): ApprovalLack {
  const needed = (approvalNeeds?.permissions ?? ['users.approve', 'users.import']) as Permission[];
  return {
    permissions: needed.filter((one) => !may(one)),
    isOwn: approvalNeeds?.otherCredential === true && principal === credential,
  };
}

/** True: the server accepts an approval by the caller. */
export function mayApprove({ permissions, isOwn }: ApprovalLack): boolean {
  return permissions.length === 0 && !isOwn;
}

/** Why the caller cannot approve the import, in sentences. Empty if nothing is lacking. */
export function lackInWords({ permissions, isOwn }: ApprovalLack): readonly string[] {
  const sentences = [];
  if (permissions.length > 0) {
    const word = permissions.length === 1 ? 'permission' : 'permissions';
    sentences.push(`Approving needs the ${word} ${permissions.join(' and ')}, which you lack.`);
  }
  if (permissions.includes('users.deactivate')) {
    sentences.push('The import was sent with the option to deactivate users who are not listed.');
  }
  if (isOwn) {
    sentences.push(OTHER_CREDENTIAL);
  }
  return sentences;
}

/** Said to the sender of an import that somebody else has to approve. */
export const OTHER_CREDENTIAL =
  'You have sent this import, and this server has imports approved by somebody other than their sender.';
