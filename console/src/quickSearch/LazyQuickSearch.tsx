import { useHotkeys } from '@mantine/hooks';
import { lazy, Suspense } from 'react';

import { openQuickSearch, useQuickSearchWanted } from './openQuickSearch';

const QuickSearch = lazy(() =>
  import('./QuickSearch').then(({ QuickSearch: Loaded }) => ({ default: Loaded })),
);

/** Listens for Ctrl+K (⌘K), and loads the quick search when it is wanted. */
export function LazyQuickSearch() {
  const wanted = useQuickSearchWanted();
  // An empty list: the keys work in text fields too.
  useHotkeys([['mod+K', openQuickSearch]], []);
  return wanted > 0 ? (
    <Suspense fallback={null}>
      <QuickSearch wanted={wanted} />
    </Suspense>
  ) : null;
}
