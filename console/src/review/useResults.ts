import { useSyncExternalStore } from 'react';

import type { ResultStore } from './ResultStore';

/** Draws again when the store has more results. Returns its version. */
export function useResults(store: Pick<ResultStore, 'subscribe' | 'snapshot'>): number {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
