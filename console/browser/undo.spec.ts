import { expect, test } from './support/fixtures';
import { importExample } from './support/imports';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';

test('an import is undone after a review of what that does', async ({ open, organisation }) => {
  await importExample(organisation);
  const before = await organisation.users();
  await organisation.import(`${EXAMPLES}/roster.csv`, '--source', 'today');
  expect(await organisation.users()).not.toEqual(before);
  const page = await open('/imports');
  await expect(page.getByRole('link', { name: 'today' })).toBeVisible();
  await lookAt(page, 'imports');
  await page.getByRole('link', { name: 'today' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'today' })).toBeVisible();
  await lookAt(page, 'import');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('heading', { name: 'What the undo would do' })).toBeVisible();
  await lookAt(page, 'undo');
  const confirm = page.getByLabel(/^Type Confirm/);
  await confirm.fill('Confirm');
  await page.getByRole('button', { name: /^Undo: / }).click();
  await expect(page.getByText('This is the undo of')).toBeVisible();
  await lookAt(page, 'undone');
  const created = new Set((await organisation.users()).filter((user) => user.includes(',Inactive,')));
  const after = (await organisation.users()).filter((user) => before.includes(user));
  expect(after).toEqual(before);
  expect(created.size).toBeGreaterThan(0);
});
