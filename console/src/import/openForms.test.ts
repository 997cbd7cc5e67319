import { expect, test } from 'vitest';

import { opened, typedInto } from './openForms';

test('what was typed is kept by row until the form is closed', () => {
  const two = opened(opened(new Map(), 2, true), 5, true);
  const typed = typedInto(typedInto(two, 2, 'EMAIL', 'a@x'), 2, 'ROLE', 'Officer');
  expect(typed.get(2)).toEqual({ EMAIL: 'a@x', ROLE: 'Officer' });
  expect(typed.get(5)).toEqual({});
  expect(opened(opened(typed, 2, false), 2, true).get(2)).toEqual({});
});
