// Which imports are listed. It is part of the address, so that a link keeps it.

import { ImportState } from '~/gen/userimport/v1/types_pb';

/** The states by which imports can be listed, by their words in an address. */
export const LISTED_STATES = {
  receiving: ImportState.RECEIVING,
  importing: ImportState.APPLYING,
  completed: ImportState.COMPLETED,
  refused: ImportState.REFUSED,
  interrupted: ImportState.INTERRUPTED,
  cancelled: ImportState.CANCELLED,
  held: ImportState.HELD,
} as const;

export type ListedState = keyof typeof LISTED_STATES;

export interface ImportSearch {
  state?: ListedState | undefined;
}

export function readImportSearch({ state }: Record<string, unknown>): ImportSearch {
  return typeof state === 'string' && Object.hasOwn(LISTED_STATES, state)
    ? { state: state as ListedState }
    : {};
}
