// The catalog as it is edited: entries keep what they were called, so that a rename keeps the users, and an entry that is
// removed stays in sight until the whole is saved.

import { create, equals } from '@bufbuild/protobuf';

import { CatalogSchema, type Catalog } from '~/gen/userimport/v1/types_pb';

export interface DraftEntry {
  /** Tells entries apart while their names change. */
  readonly key: number;
  readonly name: string;
  /** The name in the stored catalog; undefined: the entry is new. */
  readonly stored: string | undefined;
  readonly isRemoved: boolean;
}

export interface DraftRole extends DraftEntry {
  readonly privileged: boolean;
}

export interface DraftGroup extends DraftEntry {
  readonly externalId: string;
  readonly active: boolean;
}

export interface CatalogDraft {
  readonly roles: readonly DraftRole[];
  readonly ranks: readonly DraftEntry[];
  readonly groups: readonly DraftGroup[];
  readonly phoneRegion: string;
  readonly badgeNumberPattern: string;
  readonly externalIdPattern: string;
}

export type EntryKind = 'roles' | 'ranks' | 'groups';

let lastKey = 0;

export function newKey(): number {
  return ++lastKey;
}

export function draftOf(catalog: Catalog): CatalogDraft {
  const entry = (name: string, stored: string) => ({ key: newKey(), name, stored, isRemoved: false });
  return {
    roles: catalog.roles.map(({ name, privileged }) => ({ ...entry(name, name), privileged })),
    ranks: catalog.ranks.map(({ name }) => entry(name, name)),
    groups: catalog.groups.map(({ externalId, name, active }) => ({
      ...entry(name, externalId),
      externalId,
      active,
    })),
    phoneRegion: catalog.phoneRegion,
    badgeNumberPattern: catalog.badgeNumberPattern,
    externalIdPattern: catalog.externalIdPattern,
  };
}

/** The document to store. */
export function catalogOf(draft: CatalogDraft): Catalog {
  const renamed = ({ name, stored }: DraftEntry) =>
    stored !== undefined && stored !== name.trim() ? { previousName: stored } : {};
  return create(CatalogSchema, {
    roles: kept(draft.roles).map((role) => ({
      name: role.name.trim(),
      privileged: role.privileged,
      ...renamed(role),
    })),
    ranks: kept(draft.ranks).map((rank) => ({ name: rank.name.trim(), ...renamed(rank) })),
    groups: kept(draft.groups).map(({ externalId, name, active }) => ({
      externalId: externalId.trim(),
      name: name.trim(),
      active,
    })),
    phoneRegion: draft.phoneRegion.trim().toUpperCase(),
    badgeNumberPattern: draft.badgeNumberPattern.trim(),
    externalIdPattern: draft.externalIdPattern.trim(),
  });
}

function kept<T extends DraftEntry>(entries: readonly T[]): T[] {
  // An entry that was added and left blank is none.
  return entries.filter((entry) => !entry.isRemoved && (entry.stored !== undefined || !isBlank(entry)));
}

function isBlank(entry: DraftEntry & { readonly externalId?: string }): boolean {
  return entry.name.trim() === '' && (entry.externalId ?? '').trim() === '';
}

/** True: saving the draft would change the catalog. */
export function isChanged(draft: CatalogDraft, stored: Catalog): boolean {
  return !isSameCatalog(catalogOf(draft), stored);
}

/** Compares what two catalogs say, whatever the order of their entries. */
export function isSameCatalog(one: Catalog, other: Catalog): boolean {
  return equals(CatalogSchema, sorted(one), sorted(other));
}

function sorted(catalog: Catalog): Catalog {
  const by = <T>(entries: readonly T[], name: (entry: T) => string) =>
    [...entries].sort((one, other) => (name(one) < name(other) ? -1 : 1));
  return create(CatalogSchema, {
    ...catalog,
    roles: by(catalog.roles, ({ name }) => name),
    ranks: by(catalog.ranks, ({ name }) => name),
    groups: by(catalog.groups, ({ externalId }) => externalId),
  });
}

/** What is different in `now`, as sentences: what somebody else has changed. */
export function differences(before: Catalog, now: Catalog): string[] {
  return [
    ...changedNames('role', before.roles, now.roles, ({ name }) => name),
    ...changedNames('rank', before.ranks, now.ranks, ({ name }) => name),
    ...changedNames('group', before.groups, now.groups, ({ externalId }) => externalId),
    ...changedText('phone region', before.phoneRegion, now.phoneRegion),
    ...changedText('pattern of badge numbers', before.badgeNumberPattern, now.badgeNumberPattern),
    ...changedText('pattern of external IDs', before.externalIdPattern, now.externalIdPattern),
  ];
}

function changedNames<T extends object>(
  kind: string,
  before: readonly T[],
  now: readonly T[],
  nameOf: (entry: T) => string,
): string[] {
  const names = new Map(before.map((entry) => [nameOf(entry), JSON.stringify(entry)]));
  const present = new Map(now.map((entry) => [nameOf(entry), JSON.stringify(entry)]));
  const added = [...present.keys()].filter((name) => !names.has(name));
  const removed = [...names.keys()].filter((name) => !present.has(name));
  const changed = [...present].filter(([name, text]) => names.has(name) && names.get(name) !== text);
  return [
    ...added.map((name) => `The ${kind} “${name}” was added.`),
    ...removed.map((name) => `The ${kind} “${name}” was removed or renamed.`),
    ...changed.map(([name]) => `The ${kind} “${name}” was changed.`),
  ];
}

function changedText(what: string, before: string, now: string): string[] {
  return before === now ? [] : [`The ${what} is ${now === '' ? 'none' : `“${now}”`} now.`];
}
