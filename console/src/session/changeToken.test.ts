import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { keepCaller } from './caller';
import { changeToken, followAddress, noteCaller } from './changeToken';
import { keepToken, onTokenChange, token } from './token';

const ANA = { principal: 'token 1 (ana)', organization: 'pd' };
const heard: (string | null)[] = [];
let end: () => void;

beforeEach(() => {
  sessionStorage.clear();
  keepToken('first');
  keepCaller(ANA);
  sessionStorage.setItem('draft', 'what was begun');
  heard.length = 0;
  end = onTokenChange(() => heard.push(token()));
});

afterEach(() => end());

const kept = () => sessionStorage.getItem('draft');

test('the same person goes on with what was begun, with a renewed token too', async () => {
  await changeToken(' second ', () => Promise.resolve({ ...ANA, principal: 'token 2 (ana)' }));
  expect(heard).toEqual(['second']);
  expect(kept()).toBe('what was begun');
});

test.each([
  { ...ANA, principal: 'token 2 (ben)' },
  { ...ANA, organization: 'fire' },
])('of another person or for another organisation, nothing stays: %j', async (caller) => {
  await changeToken('second', () => Promise.resolve(caller));
  expect(heard).toEqual([null, 'second']);
  expect(kept()).toBeNull();
  // It is theirs from now on.
  sessionStorage.setItem('draft', 'of the second');
  await changeToken('third', () => Promise.resolve(caller));
  expect(kept()).toBe('of the second');
});

test('a token that the server does not accept changes nothing', async () => {
  await expect(changeToken('second', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(token()).toBe('first');
  expect(kept()).toBe('what was begun');
});

test('a token of another person that the tab has since it was loaded ends what was begun', async () => {
  keepToken('second');
  await noteCaller('first', { ...ANA, principal: 'ben' });
  expect(kept()).toBe('what was begun');
  await noteCaller('second', { ...ANA, principal: 'ben' });
  expect(heard).toEqual(['second', null, 'second']);
  expect(kept()).toBeNull();
});

test('an address with a token that is opened in the same tab changes the person', async () => {
  followAddress((asked) => Promise.resolve({ ...ANA, principal: `who has ${asked}` }));
  location.hash = '#token=second';
  await vi.waitFor(() => expect(token()).toBe('second'));
  expect(location.hash).toBe('');
  expect(kept()).toBeNull();
});
