import { expect, test } from 'vitest';

import { providerFault } from './providerFault';

test('an answer of the provider is said in words, with what it adds', () => {
  const refused = Object.assign(new Error('Not today'), {
    error: 'access_denied',
    error_description: 'Not today',
  });
  expect(providerFault(refused)).toBe(
    'The sign-in was cancelled, or you may not use this page. It says: Not today',
  );
});

test.each([
  [new Error('No matching state found in storage'), 'used already'],
  [new TypeError('Failed to fetch'), 'cannot be reached'],
  [new Error('The server names no identity provider any more.'), 'names no identity provider'],
])('%s', (thrown, words) => expect(providerFault(thrown)).toContain(words));
