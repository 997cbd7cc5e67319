// The quick search is loaded when it is first opened, by its button or the keyboard.

import { useSyncExternalStore } from 'react';

let wanted = 0;
const listeners = new Set<() => void>();

/** Opens the quick search. */
export function openQuickSearch(): void {
  wanted++;
  for (const listener of listeners) {
    listener();
  }
}

/** How often it was opened. */
export function useQuickSearchWanted(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => wanted,
  );
}
