import { MantineProvider } from '@mantine/core';
import { onlineManager, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { queries } from '~/app/queries';
import { connectionLost } from '~/import/fakeServer';

import { useSession } from './Session';
import { SessionProvider } from './SessionProvider';
import { signInEnded } from './signInState';
import { keepToken, token } from './token';

interface FakeServer {
  /** Whose each token is. */
  callers: Record<string, string>;
  organizations: string[];
  search: { organisation?: string };
  isAway: boolean;
}

const server = vi.hoisted((): FakeServer => ({ callers: {}, organizations: [], search: {}, isAway: false }));

vi.mock('@tanstack/react-router', () => ({ useSearch: () => server.search }));

vi.mock('~/api/transport', () => ({
  directory: {
    getCaller: () =>
      server.isAway
        ? Promise.reject(connectionLost())
        : Promise.resolve({
            principal: server.callers[token() ?? ''] ?? '',
            organization: '',
            permissions: ['users.read'],
            serverVersion: '1',
          }),
    listOrganizations: () =>
      Promise.resolve({
        organizations: server.organizations.map((slug) => ({ organization: slug, displayName: '' })),
        nextPageToken: '',
      }),
  },
}));

/** A screen in which something was typed. */
function Screen() {
  const { principal, organization } = useSession();
  return (
    <>
      <p>{`${principal} at ${organization}`}</p>
      <input aria-label="Search" />
    </>
  );
}

const search = () => screen.getByLabelText<HTMLInputElement>('Search');

function show() {
  render(
    <MantineProvider>
      <QueryClientProvider client={queries}>
        <SessionProvider>
          <Screen />
        </SessionProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

beforeEach(async () => {
  vi.stubGlobal('matchMedia', () => ({
    matches: false,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = vi.fn();
      unobserve = vi.fn();
      disconnect = vi.fn();
    },
  );
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ provider: null })));
  sessionStorage.clear();
  queries.clear();
  server.callers = { first: 'ana', renewed: 'ana', other: 'ben' };
  server.organizations = ['fire', 'pd'];
  server.search = {};
  server.isAway = false;
  keepToken('first');
  show();
  await screen.findByText('ana at fire');
  search().value = 'becker';
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('a screen keeps what was typed when the same person signs in again', async () => {
  act(() => signInEnded('first', 'The token has expired.'));
  expect(await screen.findByText('The token has expired.')).toBeDefined();
  act(() => keepToken('renewed'));
  await waitFor(() => expect(screen.queryByText('The token has expired.')).toBeNull());
  await waitFor(() => expect(queries.isFetching()).toBe(0));
  expect(search().value).toBe('becker');
});

test('nothing of one person is shown to another', async () => {
  act(() => keepToken('other'));
  await screen.findByText('ben at fire');
  expect(search().value).toBe('');
  expect(token()).toBe('other');
});

test('the organisation that is shown stays when another one comes first', async () => {
  server.organizations = ['ambulance', 'fire', 'pd'];
  await act(() => queries.invalidateQueries());
  expect(screen.getByText('ana at fire')).toBeDefined();
  expect(search().value).toBe('becker');
});

/** The page as it is loaded again while the server is away. */
async function loadAway(): Promise<void> {
  cleanup();
  queries.clear();
  server.isAway = true;
  show();
  await screen.findByText('The server does not answer. Trying again…');
}

test('the page opens by itself when a server that was away is back', async () => {
  await loadAway();
  server.isAway = false;
  await screen.findByText('ana at fire', undefined, { timeout: 10_000 });
});

test('a server that was away can be tried at once', { timeout: 20_000 }, async () => {
  await loadAway();
  // After the fourth attempt the page waits for four seconds.
  await waitFor(() => expect(queries.getQueryState(['caller'])?.fetchFailureCount).toBe(4), {
    timeout: 10_000,
  });
  server.isAway = false;
  act(() => screen.getByRole('button', { name: 'Try now' }).click());
  await screen.findByText('ana at fire', undefined, { timeout: 3_000 });
});

test('a server on this machine is asked without a network, too', async () => {
  cleanup();
  queries.clear();
  onlineManager.setOnline(false);
  try {
    show();
    await screen.findByText('ana at fire');
  } finally {
    onlineManager.setOnline(true);
  }
});
