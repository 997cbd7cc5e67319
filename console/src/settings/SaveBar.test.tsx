import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { stubWindow } from '~/shared/testWindow';

import { SaveBar, SaveConflict, type SaveState } from './SaveBar';

stubWindow();

const STORED: SaveState = { isChanged: false, isSaving: false, problem: undefined };

function bar(state: Partial<SaveState>, isBlocked = false) {
  const onSave = vi.fn();
  render(
    <MantineProvider>
      <SaveBar noun="catalog" state={{ ...STORED, ...state }} isBlocked={isBlocked} onSave={onSave}>
        <span>Leave</span>
      </SaveBar>
    </MantineProvider>,
  );
  const button = screen.getByRole('button', { name: 'Save catalog' });
  button.click();
  return { words: screen.getByRole('status').textContent, saves: onSave.mock.calls.length };
}

test.each<[string, Partial<SaveState>, string, number]>([
  ['as it is stored', {}, 'Everything is saved.', 0],
  ['just saved', { isSaved: true }, 'Saved.', 0],
  ['changed', { isChanged: true }, 'There are unsaved changes.', 1],
  ['changed after it was saved', { isChanged: true, isSaved: true }, 'There are unsaved changes.', 1],
  ['on its way', { isChanged: true, isSaving: true }, 'There are unsaved changes.', 0],
])('what is %s says so, and is saved only if there is something to save', (_, state, words, saves) =>
  expect(bar(state)).toEqual({ words, saves }),
);

test('what is undecided or wrong is not saved', () => {
  expect(bar({ isChanged: true }, true).saves).toBe(0);
});

test('whose version stays is decided by one of two buttons, or by one if there is another way back', () => {
  const [theirs, mine] = [vi.fn(), vi.fn()];
  const conflict = (onTakeTheirs?: () => void) => (
    <MantineProvider>
      <SaveConflict what="the catalog" onOverwrite={mine} {...(onTakeTheirs && { onTakeTheirs })}>
        A role was renamed.
      </SaveConflict>
    </MantineProvider>
  );
  const { rerender } = render(conflict(theirs));
  expect(screen.getByRole('alert').textContent).toContain('Somebody else has changed the catalog');
  screen.getByRole('button', { name: 'Take theirs' }).click();
  screen.getByRole('button', { name: 'Save mine all the same' }).click();
  expect([theirs.mock.calls.length, mine.mock.calls.length]).toEqual([1, 1]);
  rerender(conflict());
  expect(screen.queryByRole('button', { name: 'Take theirs' })).toBeNull();
});
