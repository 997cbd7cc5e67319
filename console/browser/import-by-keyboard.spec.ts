import type { Page } from '@playwright/test';

import { expect, test } from './support/fixtures';
import { importExample } from './support/imports';
import { fileOf, ImportWizard } from './support/wizard';

/** Presses Tab until the focus is on what has this role and name, as somebody without a mouse does. */
async function tabTo(
  page: Page,
  role: Parameters<Page['getByRole']>[0],
  name: string | RegExp,
): Promise<void> {
  const wanted = page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name });
  await expect(wanted.first()).toBeVisible();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluateAll((found) => found.some((one) => one === document.activeElement))) {
      await expectVisibleFocus(page);
      return;
    }
  }
  throw new Error(`Tab does not lead to ${role} "${String(name)}".`);
}

/** The element with the focus looks other than without it. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const [focused, blurred] = await page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    // A tab stop without a size stands for another element, such as the box of a checkbox.
    const looks = () => {
      // What changes slowly has changed in the end.
      for (const transition of document.getAnimations().filter((one) => one instanceof CSSTransition)) {
        transition.finish();
      }
      const shown = [element, element.parentElement, element.nextElementSibling].filter(
        (one) => one !== null,
      );
      return JSON.stringify(
        shown.map((one) => {
          const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(one);
          return [outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor];
        }),
      );
    };
    const before = looks();
    element.blur();
    const after = looks();
    element.focus({ preventScroll: true });
    return [before, after];
  });
  expect(focused, 'the focus is visible').not.toBe(blurred);
}

test('the whole import is done by keyboard alone', async ({ page, organisation }) => {
  test.setTimeout(180_000);
  await importExample(organisation);
  const users = (await organisation.users()).filter((user) => !user.startsWith('P-1005,'));
  const roster = users.map(
    (user) => `${user.replace('Becker', 'Bäcker').replace(/^(P-1008.*),Officer,/, '$1,Oficer,')}\n`,
  );
  const wizard = new ImportWizard(page);
  // The tree as screen readers have it, without what differs each time.
  const expectTree = (name: string) =>
    expect(async () => {
      const tree = await page.getByRole('main').ariaSnapshot();
      expect(
        tree.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').replace(/org-[0-9a-f]{12}/g, 'ORGANISATION'),
      ).toMatchSnapshot(`${name}.txt`);
    }).toPass({ timeout: 10_000 });
  await page.goto(await organisation.address('/users'));

  await tabTo(page, 'link', 'Skip to the content');
  await page.keyboard.press('Enter');
  await tabTo(page, 'link', 'Import users');
  await page.keyboard.press('Enter');
  await expect(wizard.heading('Choose a file')).toBeFocused();
  await expectTree('file-empty');

  // Before the keys, since the browser handles a key before the order to report the choosing of files, if both wait.
  const chooser = page.waitForEvent('filechooser');
  await tabTo(page, 'button', 'Drop a file here, or choose one');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(fileOf(roster.join('')));
  await expect(page.getByText(/header on line 1$/)).toBeVisible();
  await expect(page.getByText('on the server')).toBeVisible();
  await expectTree('file');
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');

  await expect(wizard.heading('Match columns and values')).toBeFocused();
  await expectTree('columns');
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');

  await expect(wizard.heading('Choose how to import')).toBeFocused();
  await tabTo(page, 'checkbox', 'Deactivate all currently Active users not listed in the file');
  await page.keyboard.press('Space');
  await expectTree('options');
  await tabTo(page, 'button', 'Review');
  await page.keyboard.press('Enter');

  await expect(wizard.heading('Review')).toBeFocused();
  await expect(page.getByRole('tab', { name: 'Rejected (1)' })).toBeVisible();
  await tabTo(page, 'tab', 'Rejected (1)');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('tab', { name: /^Unchanged / })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowRight');
  await expectTree('review');
  await tabTo(page, 'button', /^Use “Officer”/);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Corrected: unchanged')).toBeVisible();
  await expectTree('review-corrected');
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');

  await expect(wizard.heading('Confirm')).toBeFocused();
  await expectTree('confirm');
  await tabTo(page, 'textbox', /^Type Confirm/);
  await page.keyboard.type('Confirm');
  await page.keyboard.press('Enter');

  await wizard.expectComplete();
  await expect(page.getByText('1 row imported on their own')).toBeVisible();
  await expect(wizard.heading('Results')).toBeFocused();
  await expectTree('results');
  const after = await organisation.users();
  expect(after.find((user) => user.startsWith('P-1005,'))).toContain(',Inactive,');
  expect(after.join('\n')).toContain('Bäcker');
});
