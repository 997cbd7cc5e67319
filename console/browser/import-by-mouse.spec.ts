import { readFile } from 'node:fs/promises';

import { expect, test } from './support/fixtures';
import { importExample } from './support/imports';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';
import { fileOf, ImportWizard } from './support/wizard';

test('a roster is imported by mouse, from the file to the results', async ({ open, organisation }) => {
  test.setTimeout(180_000);
  await importExample(organisation);
  const page = await open('/users');
  const wizard = new ImportWizard(page);
  await page.getByRole('main').getByRole('link', { name: 'Import users' }).click();
  await expect(wizard.heading('Choose a file')).toBeFocused();
  await lookAt(page, 'import-file-empty');

  await wizard.choose(`${EXAMPLES}/roster.csv`);
  await expect(page.getByText('on the server')).toBeVisible();
  await lookAt(page, 'import-file');
  await wizard.next();

  // "Oficer" is no role of the organisation.
  await expect(wizard.heading('Match columns and values')).toBeFocused();
  await lookAt(page, 'import-columns');
  await wizard.next();

  await expect(wizard.heading('Choose how to import')).toBeFocused();
  await wizard.deactivateMissing();
  await lookAt(page, 'import-options');
  await wizard.next('Review');

  await expect(wizard.heading('Review')).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Rejected (5)' })).toBeVisible();
  await lookAt(page, 'import-review-rejected');
  await page.getByRole('tab', { name: 'All (20)' }).click();
  await expect(page.getByRole('table', { name: 'Rows of the file' })).toContainText('P-1001');
  await lookAt(page, 'import-review');
  await page.getByLabel('Search the rows').fill('0422');
  await expect(page.getByText('2 rows found')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the rejected rows' }).click();
  const rejected = await readFile(await (await download).path(), 'utf8');
  expect(rejected).toContain('kofi.mensah@riverton.example');

  await wizard.next();
  await expect(wizard.heading('Confirm')).toBeFocused();
  await lookAt(page, 'import-confirm');
  // A row makes somebody Inactive.
  const button = page.getByRole('button', { name: 'Import: 4 new, 7 changed, 1 deactivated' });
  await page.getByLabel('Type Confirm to deactivate 1 user').fill('Confirm');
  await button.click();
  await wizard.expectComplete();
  await expect(wizard.heading('Results')).toBeVisible();
  await lookAt(page, 'import-results');
  expect((await organisation.users()).filter((user) => /^P-101[45]/.test(user))).toHaveLength(2);
  await page.getByRole('link', { name: 'See the users' }).click();
  await expect(page.getByRole('link', { name: 'Amara Diallo' })).toBeVisible();
});

test('users are deactivated only after the word is typed', async ({ open, organisation }) => {
  await importExample(organisation);
  const wizard = new ImportWizard(await open('/import-users'));
  const { page } = wizard;
  const before = await organisation.users();
  const listed = before.filter((user) => !/^P-100[56]/.test(user));
  await wizard.review(fileOf(`${listed.join('\n')}\n`), (one) => one.deactivateMissing());
  await expect(page.getByText('P-1005').first()).toBeVisible();
  await wizard.next();
  const button = page.getByRole('button', { name: 'Import: 2 deactivated' });
  await button.click();
  await expect(page.getByText('Type the word Confirm, with a capital C.')).toBeVisible();
  // With their statuses: a deactivated user stays in the list.
  expect(await organisation.users()).toEqual(before);
  await page.getByLabel('Type Confirm to deactivate 2 users').fill('Confirm');
  await button.click();
  await wizard.expectComplete();
  const inactive = (await organisation.users()).filter((user) => user.includes(',Inactive,'));
  expect(inactive.map((user) => user.slice(0, 6))).toEqual(expect.arrayContaining(['P-1005', 'P-1006']));
});

test('an import whose directory has changed since its review is reviewed again', async ({
  open,
  organisation,
}) => {
  await importExample(organisation);
  const wizard = new ImportWizard(await open('/import-users'));
  await wizard.review(`${EXAMPLES}/roster.csv`);
  await wizard.next();
  await wizard.page.getByLabel('Type Confirm to deactivate 1 user').fill('Confirm');
  await organisation.import((await organisation.users()).map((user) => user.replace('Nair', 'Other')));
  const changed = await organisation.users();
  expect(changed.join('\n')).toContain('Other');
  await wizard.page.getByRole('button', { name: /^Import: / }).click();
  await expect(wizard.page.getByText('Reviewed again')).toBeVisible();
  // Nothing of the file was written.
  expect(await organisation.users()).toEqual(changed);
  await lookAt(wizard.page, 'import-reviewed-again');
  await wizard.confirm('4 new, 7 changed, 1 deactivated');
  await wizard.expectComplete();
});
