// One page of the list of users. With filters, one call looks at a bounded number of users: the search can then go on
// from where it stopped, and adds to the page what it finds.

import { keepPreviousData, useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { directory } from '~/api/transport';
import type { ListUsersResponse } from '~/gen/userimport/v1/directory_service_pb';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';

import { userFilters, userOrder, type UserSearch } from './userSearch';

export const PAGE_SIZE = 50;

export interface UserPage {
  readonly users: readonly User[];
  /** How many users pass the filters; undefined: not known, or too many to count. */
  readonly total: number | undefined;
  /** Empty: this is the last page. */
  readonly nextToken: string;
  /** True: the server stopped the search before the page was full. */
  readonly isIncomplete: boolean;
  /** How many calls have looked for this page. */
  readonly calls: number;
  /** True: the search goes on from where it stopped. */
  readonly isSearching: boolean;
  readonly searchOn: () => void;
  readonly stop: () => void;
  readonly isPending: boolean;
  /** True: what is shown belongs to the page or filter before. */
  readonly isOutdated: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useUserPage(search: UserSearch, token: string): UserPage {
  const { organization } = useSession();
  const queryKey = keyOf(organization, search, token);
  // What is searched to its end. Another search, or another page, is asked for again.
  const [searchedOn, setSearchedOn] = useState('');
  const name = JSON.stringify(queryKey);
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: { pageToken: token, pageSize: PAGE_SIZE },
    queryFn: ({ pageParam, signal }) =>
      directory.listUsers(
        { organization, ...userFilters(search), ...userOrder(search), countTotal: true, ...pageParam },
        { signal },
      ),
    getNextPageParam: (last, all) => {
      const missing = PAGE_SIZE - all.reduce((found, page) => found + page.users.length, 0);
      return last.searchIncomplete && missing > 0
        ? { pageToken: last.nextPageToken, pageSize: missing }
        : undefined;
    },
    placeholderData: keepPreviousData,
  });
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const goesOn = searchedOn === name && hasNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (goesOn && !isFetchingNextPage) {
      void fetchNextPage();
    }
  }, [goesOn, isFetchingNextPage, fetchNextPage]);
  const pages = data?.pages ?? [];
  // Only the first page is counted.
  const first = useQueryClient().getQueryData<InfiniteData<ListUsersResponse>>(
    keyOf(organization, search, ''),
  );
  return {
    users: pages.flatMap((page) => page.users),
    total: first?.pages[0]?.totalSize,
    nextToken: pages.at(-1)?.nextPageToken ?? '',
    isIncomplete: hasNextPage,
    calls: pages.length,
    isSearching: goesOn,
    searchOn: () => {
      setSearchedOn(name);
      void fetchNextPage();
    },
    stop: () => setSearchedOn(''),
    isPending: query.isPending,
    isOutdated: query.isPlaceholderData,
    error: query.error,
    retry: () => void query.refetch(),
  };
}

function keyOf(organization: string, search: UserSearch, token: string) {
  return ['users', organization, search, token];
}
