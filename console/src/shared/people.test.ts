import { expect, test } from 'vitest';

import { principalName, userName } from './people';

test.each([
  ['token 018f4e9e (nightly (cad))', 'nightly (cad) (token)'],
  ['token 018f4e9e (dana@pd.example)', 'dana@pd.example (token)'],
  ['local', 'the local token'],
  ['jwt dana@pd.example', 'dana@pd.example (sign-in)'],
  ['jwt dana (token)', 'dana (token) (sign-in)'],
  ['jwt local', 'local (sign-in)'],
  ['certificate spiffe://pd.example/cad', 'spiffe://pd.example/cad (certificate)'],
  ['dana@pd.example', 'dana@pd.example'],
  ['', 'Unknown'],
])('the caller %s is called %s', (principal, name) => expect(principalName(principal)).toBe(name));

test('a user without names is called by the external ID', () => {
  expect(userName({ firstName: 'Ana', lastName: 'Lima', externalId: 'P-1' })).toBe('Ana Lima');
  expect(userName({ firstName: '', lastName: '', externalId: 'P-1' })).toBe('P-1');
});
