// Which entry of the catalog each fault of the server is about.

import type { Problem } from '~/api/problem';

import type { DraftEntry, EntryKind } from './catalogDraft';

export interface CatalogFaults {
  /** What is wrong with an entry; `position`: its place among the entries that were sent, or -1. */
  readonly ofEntry: (kind: EntryKind, entry: DraftEntry, position: number) => string | undefined;
  /** What is wrong with a field of the document, such as `phone_region`. */
  readonly ofField: (field: string) => string | undefined;
}

/** Sorts the faults by what they are about: `roles/Officer`, `catalog.roles[2].name` or `catalog.phone_region`. */
export function faultsAt(places: Problem['places']): CatalogFaults {
  const find = (isAbout: (at: string) => boolean) => {
    const found = places.filter(({ at }) => isAbout(at)).map(({ fault }) => fault);
    return found.length > 0 ? [...new Set(found)].join(' ') : undefined;
  };
  return {
    ofEntry: (kind, { stored }, position) =>
      find((at) => at === `${kind}/${stored ?? ''}` || at.startsWith(`catalog.${kind}[${position}].`)),
    ofField: (field) => find((at) => at === `catalog.${field}`),
  };
}

/** The place of each entry among those that are sent; -1: it is removed. */
export function sentPositions(
  entries: readonly (DraftEntry & { readonly externalId?: string })[],
): Map<number, number> {
  const positions = new Map<number, number>();
  let next = 0;
  for (const { key, isRemoved, stored, name, externalId = '' } of entries) {
    const isSent = !isRemoved && (stored !== undefined || name.trim() !== '' || externalId.trim() !== '');
    positions.set(key, isSent ? next++ : -1);
  }
  return positions;
}
