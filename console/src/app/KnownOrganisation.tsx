import { Outlet } from '@tanstack/react-router';
import { Fragment } from 'react';

import { useSession } from '~/session/Session';

import { UnknownOrganisation } from './UnknownOrganisation';

/**
 * A screen, or a notice in its place if the address names an organisation that the caller does not have. No screen keeps
 * anything of another organisation.
 */
export function KnownOrganisation() {
  const { organization, organizations } = useSession();
  const isKnown = organizations.length === 0 || organizations.some(({ slug }) => slug === organization);
  return isKnown ? (
    <Fragment key={organization}>
      <Outlet />
    </Fragment>
  ) : (
    <UnknownOrganisation />
  );
}
