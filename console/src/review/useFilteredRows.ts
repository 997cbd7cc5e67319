// The rows of a tab that have a text. A search goes through the rows in slices of a few milliseconds, so that typing and
// scrolling go on; what it has found so far is shown meanwhile.

import { useEffect, useState } from 'react';

import type { ResultStore } from './ResultStore';
import type { Tab } from './RowOrder';
import { useResults } from './useResults';

const SLICE_MILLISECONDS = 8;
const ROWS_BETWEEN_LOOKS = 200;

export interface FilteredRows {
  readonly indices: Uint32Array;
  /** True: the search goes on. */
  readonly isSearching: boolean;
}

const NOTHING = new Uint32Array();

export function useFilteredRows(store: ResultStore, tab: Tab, search: string): FilteredRows {
  useResults(store);
  const all = store.indices(tab);
  const needle = search.trim().toLowerCase();
  const [found, setFound] = useState<FilteredRows & { of: Uint32Array; needle: string }>();
  useEffect(() => {
    if (needle === '') {
      return undefined;
    }
    const search = searchRows(store, all, needle, (indices, isSearching) =>
      setFound({ indices, isSearching, of: all, needle }),
    );
    return () => search.abort();
  }, [store, all, needle]);
  if (needle === '') {
    return { indices: all, isSearching: false };
  }
  if (found?.needle === needle) {
    // More rows may have come: what was found among the fewer stands until the search is through.
    return { indices: found.indices, isSearching: found.isSearching || found.of !== all };
  }
  return { indices: NOTHING, isSearching: true };
}

/** Searches in slices, and tells what has been found after each. Returns what stops it. */
export function searchRows(
  store: ResultStore,
  indices: Uint32Array,
  needle: string,
  tell: (found: Uint32Array, isSearching: boolean) => void,
): AbortController {
  const stop = new AbortController();
  const found: number[] = [];
  let next = 0;
  const slice = () => {
    if (stop.signal.aborted) {
      return;
    }
    const end = performance.now() + SLICE_MILLISECONDS;
    while (next < indices.length && performance.now() < end) {
      const until = Math.min(indices.length, next + ROWS_BETWEEN_LOOKS);
      for (; next < until; next++) {
        const index = indices[next] ?? 0;
        if (store.matches(index, needle)) {
          found.push(index);
        }
      }
    }
    const isSearching = next < indices.length;
    tell(Uint32Array.from(found), isSearching);
    if (isSearching) {
      setTimeout(slice);
    }
  };
  setTimeout(slice);
  return stop;
}
