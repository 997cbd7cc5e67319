import { expect, test, vi } from 'vitest';

import { signOut } from './signOut';
import { keepToken, onTokenChange, token } from './token';

test('signing out forgets everything that the tab has kept, and says so', () => {
  keepToken('secret');
  sessionStorage.setItem('oidc.user', 'x');
  const heard = vi.fn(() => expect(sessionStorage.getItem('oidc.user')).toBe('x'));
  const end = onTokenChange(heard);
  signOut();
  end();
  expect(heard).toHaveBeenCalledOnce();
  expect(token()).toBeNull();
  expect(sessionStorage.length).toBe(0);
});
