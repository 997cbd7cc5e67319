import { expect, test } from 'vitest';

import { faultsAt, sentPositions } from './catalogFaults';

const entry = (key: number, name: string, stored?: string, isRemoved = false) => ({
  key,
  name,
  stored,
  isRemoved,
});

test('a fault is found by the entry in use, by its place, and by its field', () => {
  const faults = faultsAt([
    { at: 'roles/Officer', fault: '3 users have it.' },
    { at: 'catalog.ranks[1].name', fault: 'It is there twice.' },
    { at: 'catalog.phone_region', fault: 'No such region.' },
  ]);
  expect(faults.ofEntry('roles', entry(1, 'Officer', 'Officer', true), -1)).toBe('3 users have it.');
  expect(faults.ofEntry('ranks', entry(2, 'Chief'), 1)).toBe('It is there twice.');
  expect(faults.ofEntry('ranks', entry(3, 'Major'), 11)).toBeUndefined();
  expect(faults.ofField('phone_region')).toBe('No such region.');
});

test('places are counted as the entries are sent', () => {
  const positions = sentPositions([
    entry(1, 'a', 'a'),
    entry(2, 'b', 'b', true),
    entry(3, ''),
    entry(4, 'd'),
  ]);
  expect([...positions.values()]).toEqual([0, -1, -1, 1]);
});
