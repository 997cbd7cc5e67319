import { expect, test } from 'vitest';

import { tokenFault } from './tokenFault';

test.each(['uit_0a1b', ' eyJhbGciOi.J9-_.x \n', ''])('%j may be a token', (entered) =>
  expect(tokenFault(entered)).toBeUndefined(),
);

test('a copied line is no token', () => expect(tokenFault('token: uit_0a1b')).toContain('no spaces'));

test('what no header can carry is no token', () => expect(tokenFault('uit_ä')).toContain('only letters'));
