// How people and credentials are called on the page.

import type { User } from '~/gen/userimport/v1/types_pb';

/** "Ana Lima"; a user has both names, or else the external ID stands for them. */
export function userName(user: Pick<User, 'firstName' | 'lastName' | 'externalId'>): string {
  return `${user.firstName} ${user.lastName}`.trim() || user.externalId;
}

/** The kinds of credential, by the word before a principal's name, as people call them. */
const KINDS: readonly [RegExp, string][] = [
  [/^token \S+ \((.*)\)$/s, 'token'],
  [/^jwt (.+)$/s, 'sign-in'],
  [/^certificate (.+)$/s, 'certificate'],
];

/**
 * A caller as people know it, with the kind of credential, as names of different kinds may be equal: "nightly (token)",
 * "ana@pd.example (sign-in)".
 */
export function principalName(principal: string): string {
  if (principal === 'local') {
    return 'the local token';
  }
  for (const [pattern, kind] of KINDS) {
    const [, name] = pattern.exec(principal) ?? [];
    if (name !== undefined) {
      return `${name} (${kind})`;
    }
  }
  return principal || 'Unknown';
}
