// How people and credentials are called on the page.

import type { User } from '~/gen/userimport/v1/types_pb';

/** "Ana Lima"; a user has both names, or else the external ID stands for them. */
export function userName(user: Pick<User, 'firstName' | 'lastName' | 'externalId'>): string {
  return `${user.firstName} ${user.lastName}`.trim() || user.externalId;
}

/** A caller as people know it: of a token its name, and of an identity provider's token its subject. */
export function principalName(principal: string): string {
  if (principal === 'local') {
    return 'the local token';
  }
  const [, named] = /^token \S+ \((.*)\)$/s.exec(principal) ?? /^jwt (.+)$/s.exec(principal) ?? [];
  return named ?? (principal || 'Unknown');
}
