// What an import brings about besides its counts, as sentences.

import { ConsequenceKind, type Consequence } from '~/gen/userimport/v1/import_service_pb';
import { plural } from '~/shared/time';

/** A sentence for a consequence; `isPlanned`: it has not come about yet. */
export function consequenceInWords({ kind, count }: Pick<Consequence, 'kind' | 'count'>): string {
  const users = plural(count, 'user');
  const verb = (one: string, several: string) => (count === 1 ? one : several);
  switch (kind) {
    case ConsequenceKind.REPORTS_LOSE_SUPERVISOR:
      return `${plural(count, 'active user')} ${verb('has', 'have')} a supervisor who becomes Inactive.`;
    case ConsequenceKind.PRIVILEGED_ROLE_GAINED:
      return `${users} ${verb('gets', 'get')} a privileged role.`;
    case ConsequenceKind.PRIVILEGED_ROLE_LOST:
      return `${users} ${verb('loses', 'lose')} a privileged role.`;
    case ConsequenceKind.ROLE_LEFT_EMPTY:
      return `${plural(count, 'role')} ${verb('loses its', 'lose their')} last active user.`;
    case ConsequenceKind.SIGN_IN_CHANGED:
      return `${plural(count, 'active user')} ${verb('has', 'have')} to sign in with another email or username.`;
    case ConsequenceKind.REACTIVATED:
      return `${plural(count, 'inactive user')} ${verb('becomes', 'become')} Active again.`;
    case ConsequenceKind.IDENTITY_REPLACED:
      return `${plural(count, 'row')} ${verb('puts', 'put')} another person in the place of ${verb('a user', 'users')}.`;
    case ConsequenceKind.UNSPECIFIED:
      return `${users} ${verb('is', 'are')} affected in another way.`;
  }
}

/** What the detail of an example is; empty: nothing is said about it. */
export function detailInWords(kind: ConsequenceKind, detail: string): string {
  if (detail === '') {
    return '';
  }
  switch (kind) {
    case ConsequenceKind.REPORTS_LOSE_SUPERVISOR:
      return `reports to ${detail}`;
    case ConsequenceKind.SIGN_IN_CHANGED:
    case ConsequenceKind.IDENTITY_REPLACED:
      return `${detail.split(',').join(', ')} changes`;
    default:
      return detail;
  }
}
