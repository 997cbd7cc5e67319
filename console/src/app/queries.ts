// The server's answers that the page has.

import { QueryClient } from '@tanstack/react-query';

import { problemOf } from '~/api/problem';
import { onTokenChange, token } from '~/session/token';

export const queries = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: 'always' },
    queries: {
      // A server on one's own machine is there without a network, too.
      networkMode: 'always',
      retry: (failures, error) => failures < 3 && problemOf(error).isTransient,
      retryDelay: (failures, error) => problemOf(error).retryDelay ?? 500 * 2 ** failures,
    },
  },
});

// Another token of the same person: the screens show what they have until the new answers are there. Between two
// persons there is no token for a moment, and no answer stays.
onTokenChange(() => {
  if (token() === null) {
    queries.clear();
  } else {
    void queries.invalidateQueries();
  }
});
