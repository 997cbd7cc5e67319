import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';

import { SessionContext, type Session } from '~/session/Session';

import { KnownOrganisation } from './KnownOrganisation';

afterEach(cleanup);

const SESSION: Session = {
  principal: 'ana',
  credential: 'token 1 (ana)',
  organization: 'fire',
  organizations: [
    { slug: 'fire', displayName: '' },
    { slug: 'pd', displayName: '' },
  ],
  expiresAt: undefined,
  serverVersion: '1',
  clockOffset: 0,
  may: () => true,
};

test('a screen begins again for another organisation', async () => {
  const rootRoute = createRootRoute({ component: KnownOrganisation });
  const screenRoute = createRoute({
    getParentRoute: () => rootRoute,
    path: '/',
    component: () => <input aria-label="Search" />,
  });
  const router = createRouter({
    routeTree: rootRoute.addChildren([screenRoute]),
    history: createMemoryHistory(),
  });
  const page = (organization: string) => (
    <SessionContext value={{ ...SESSION, organization }}>
      <RouterProvider router={router as never} />
    </SessionContext>
  );
  const { rerender } = render(page('fire'));
  const search = () => screen.findByLabelText<HTMLInputElement>('Search');
  (await search()).value = 'becker';
  rerender(page('fire'));
  expect((await search()).value).toBe('becker');
  rerender(page('pd'));
  expect((await search()).value).toBe('');
});
