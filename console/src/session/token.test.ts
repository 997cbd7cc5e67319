import { beforeEach, expect, test, vi } from 'vitest';

import { forgetToken, keepToken, onTokenChange, takeTokenFromAddress, token } from './token';

beforeEach(() => sessionStorage.clear());

test('the token of an address is kept, and leaves the address', () => {
  history.replaceState(null, '', '/console/users?organisation=pd#token=uit_abc');
  takeTokenFromAddress();
  expect(token()).toBe('uit_abc');
  expect(location.href).toMatch(/\/console\/users\?organisation=pd$/);
});

test('an address without a token changes nothing', () => {
  keepToken('before');
  history.replaceState(null, '', '/console/#other=1');
  takeTokenFromAddress();
  expect(token()).toBe('before');
  expect(location.hash).toBe('#other=1');
});

test('each change is heard until it is not wanted any more', () => {
  const heard = vi.fn();
  const end = onTokenChange(heard);
  keepToken(' a ');
  expect(token()).toBe('a');
  forgetToken();
  end();
  keepToken('b');
  expect(heard).toHaveBeenCalledTimes(2);
});
