import { render } from '@testing-library/react';
import { expect, test } from 'vitest';

import { ConsequenceKind } from '~/gen/userimport/v1/import_service_pb';

import { confirmLabel } from './confirmWords';
import { consequenceInWords, detailInWords } from './consequenceWords';
import { Value, visibleText } from './text';

test('the button names the numbers', () => {
  expect(confirmLabel('Import', { created: 12, updated: 1340, deactivated: 3 })).toBe(
    'Import: 12 new, 1,340 changed, 3 deactivated',
  );
  expect(confirmLabel('Import', { created: 0, updated: 0, deactivated: 0 })).toBe('Import: no changes');
});

test('each consequence is a sentence of its own, in the singular too', () => {
  const kinds = Object.values(ConsequenceKind).filter((kind) => typeof kind === 'number');
  const words = kinds.map((kind) => consequenceInWords({ kind, count: 1 }));
  expect(new Set(words).size).toBe(kinds.length);
  expect(consequenceInWords({ kind: ConsequenceKind.ROLE_LEFT_EMPTY, count: 2 })).toBe(
    '2 roles lose their last active user.',
  );
  expect(detailInWords(ConsequenceKind.SIGN_IN_CHANGED, 'EMAIL,USERNAME')).toBe('EMAIL, USERNAME changes');
});

test('a value is text, and its hidden characters are shown', () => {
  const hostile = '<img src=x onerror=alert(1)>\u202egnp.exe';
  const { container } = render(<Value>{hostile}</Value>);
  expect(container.querySelector('img')).toBeNull();
  expect(container.querySelector('bdi')?.textContent).toBe('<img src=x onerror=alert(1)>U+202Egnp.exe');
  expect(visibleText('a\u200bb')).toBe('a‹U+200B›b');
  expect(visibleText('Tomás Muñoz')).toBe('Tomás Muñoz');
});
