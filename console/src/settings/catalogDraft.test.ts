import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { CatalogSchema } from '~/gen/userimport/v1/types_pb';

import { catalogOf, differences, draftOf, isChanged, isSameCatalog, newKey } from './catalogDraft';

const stored = create(CatalogSchema, {
  roles: [{ name: 'Chief', privileged: true }, { name: 'Officer' }],
  ranks: [{ name: 'Captain' }],
  groups: [{ externalId: 'K9', name: 'K-9', active: true }],
  phoneRegion: 'US',
});

test('a draft that nobody has touched is the catalog itself', () => {
  expect(isSameCatalog(catalogOf(draftOf(stored)), stored)).toBe(true);
  expect(isChanged(draftOf(stored), stored)).toBe(false);
});

test('a rename says the name until now, and a removed entry is left out', () => {
  const draft = draftOf(stored);
  const catalog = catalogOf({
    ...draft,
    roles: draft.roles.map((role) =>
      role.name === 'Officer' ? { ...role, name: ' Patrol Officer ' } : role,
    ),
    ranks: draft.ranks.map((rank) => ({ ...rank, isRemoved: true })),
  });
  expect(catalog.roles[1]).toMatchObject({ name: 'Patrol Officer', previousName: 'Officer' });
  expect(catalog.roles[0]?.previousName).toBe('');
  expect(catalog.ranks).toEqual([]);
});

test('an entry that was added and left blank is none', () => {
  const draft = draftOf(stored);
  const blank = { key: newKey(), name: ' ', stored: undefined, isRemoved: false };
  expect(isChanged({ ...draft, ranks: [...draft.ranks, blank] }, stored)).toBe(false);
  expect(isChanged({ ...draft, ranks: [...draft.ranks, { ...blank, name: 'Major' }] }, stored)).toBe(true);
});

test('the order of entries is no change', () => {
  const reversed = create(CatalogSchema, { ...stored, roles: [...stored.roles].reverse() });
  expect(isSameCatalog(reversed, stored)).toBe(true);
});

test('what somebody else has changed is said', () => {
  const now = create(CatalogSchema, {
    roles: [{ name: 'Chief' }, { name: 'Clerk' }],
    ranks: [{ name: 'Captain' }],
    groups: [{ externalId: 'K9', name: 'K-9', active: true }],
  });
  expect(differences(stored, now)).toEqual([
    'The role “Clerk” was added.',
    'The role “Officer” was removed or renamed.',
    'The role “Chief” was changed.',
    'The phone region is none now.',
  ]);
});
