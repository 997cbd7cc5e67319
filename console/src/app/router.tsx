// The addresses of the page. Every screen is loaded when it is first shown.

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';

import { readImportSearch } from '~/imports/importSearch';
import { SessionProvider } from '~/session/SessionProvider';
import { readSettingsSearch } from '~/settings/settingsSearch';
import { readUserSearch } from '~/users/userSearch';

import { NotFound } from './NotFound';
import { ScreenError } from './ScreenError';
import { Shell } from './Shell';

/** Slug of the organisation that is shown. */
interface PageSearch {
  organisation?: string | undefined;
}

const rootRoute = createRootRoute({
  validateSearch: (search): PageSearch =>
    typeof search.organisation === 'string' ? { organisation: search.organisation } : {},
  search: { middlewares: [retainSearchParams<PageSearch>(['organisation'])] },
  notFoundComponent: NotFound,
  errorComponent: ScreenError,
});

const callbackRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: 'sign-in/callback',
  component: lazyRouteComponent(() => import('~/session/ProviderCallback'), 'ProviderCallback'),
});

const signInWindowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: 'sign-in/window',
  validateSearch: ({ channel }): { channel: string } => ({
    channel: typeof channel === 'string' ? channel : '',
  }),
  component: lazyRouteComponent(() => import('~/session/ProviderWindow'), 'ProviderWindow'),
});

// Everything that needs a sign-in.
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: () => (
    <SessionProvider>
      <Shell />
    </SessionProvider>
  ),
});

const indexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  beforeLoad: () => redirect({ to: '/users', throw: true }),
});

const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'users',
  validateSearch: readUserSearch,
  component: lazyRouteComponent(() => import('~/users/UsersPage'), 'UsersPage'),
});

const userRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'users/$userId',
  component: lazyRouteComponent(() => import('~/users/UserPage'), 'UserPage'),
});

const importsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'imports',
  validateSearch: readImportSearch,
  component: lazyRouteComponent(() => import('~/imports/ImportsPage'), 'ImportsPage'),
});

const importRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'imports/$importId',
  validateSearch: (search): { approve?: boolean; undo?: boolean } => ({
    ...(search.approve === true && { approve: true }),
    ...(search.undo === true && { undo: true }),
  }),
  component: lazyRouteComponent(() => import('~/imports/ImportPage'), 'ImportPage'),
});

const importUsersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'import-users',
  component: lazyRouteComponent(() => import('~/import/ImportUsersPage'), 'ImportUsersPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'audit',
  component: lazyRouteComponent(() => import('~/audit/AuditPage'), 'AuditPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: 'settings',
  validateSearch: readSettingsSearch,
  component: lazyRouteComponent(() => import('~/settings/SettingsPage'), 'SettingsPage'),
});

const routeTree = rootRoute.addChildren([
  callbackRoute,
  signInWindowRoute,
  shellRoute.addChildren([
    indexRoute,
    usersRoute,
    userRoute,
    importUsersRoute,
    importsRoute,
    importRoute,
    settingsRoute,
    auditRoute,
  ]),
]);

export const router = createRouter({
  routeTree,
  basepath: '/console',
  defaultPreload: 'intent',
  defaultErrorComponent: ScreenError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
