import { TransportProvider } from '@connectrpc/connect-query';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import { problemOf } from '~/api/problem';
import { transport } from '~/api/transport';
import { useSignInState } from '~/session/signInState';

import { router } from './router';
import { theme } from './theme';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 3 && problemOf(error).isTransient,
      retryDelay: (failures, error) => problemOf(error).retryDelay ?? 500 * 2 ** failures,
    },
  },
});

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <TransportProvider transport={transport}>
        <QueryClientProvider client={queries}>
          <FreshAnswers />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </TransportProvider>
    </MantineProvider>
  );
}

/** Asks everything again for another token, whose owner may see other things. */
function FreshAnswers() {
  const { token } = useSignInState();
  const before = useRef(token);
  useEffect(() => {
    if (before.current !== token) {
      before.current = token;
      if (token === null) {
        queries.clear();
      } else {
        void queries.resetQueries();
      }
    }
  }, [token]);
  return null;
}
