import { expect, test } from './support/fixtures';
import { holdImport } from './support/imports';
import { lookAt } from './support/looks';
import type { Organisation } from './support/organisation';
import { HEADER, line } from './support/rosters';

async function activeUsers(organisation: Organisation): Promise<number> {
  return (await organisation.users()).filter((user) => user.includes(',Active,')).length;
}

test('a held import is reviewed and approved', async ({ open, organisation }) => {
  test.setTimeout(180_000);
  await holdImport(organisation);
  const page = await open('/imports');
  const held = page.getByRole('region', { name: 'Needs review' }).getByRole('article');
  await expect(held).toContainText('29');
  await lookAt(page, 'imports-needs-review');
  await held.getByRole('link', { name: 'Review' }).click();
  await expect(page.getByText('Why this import is held')).toBeVisible();
  await lookAt(page, 'held-import');
  const approve = page.getByRole('button', { name: 'Approve: 1 new, 1 changed, 29 deactivated' });
  await approve.click();
  await expect(page.getByText('Type the word Confirm, with a capital C.')).toBeVisible();
  expect(await activeUsers(organisation)).toBe(30);
  await page.getByLabel(/^Type Confirm/).fill('Confirm');
  await approve.click();
  await expect(page.getByText('Completed', { exact: true }).first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  expect(await activeUsers(organisation)).toBe(2);
  await lookAt(page, 'import-approved');
});

test('a held import is discarded, and no user is changed', async ({ open, organisation }) => {
  await holdImport(organisation);
  const page = await open('/imports');
  await page.getByRole('button', { name: 'Discard' }).click();
  const question = page.getByRole('dialog', { name: 'Discard this import?' });
  await lookAt(page, 'held-discard');
  await question.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByRole('region', { name: 'Needs review' })).toBeHidden();
  expect(await activeUsers(organisation)).toBe(30);
});

test('a held import whose directory has changed is reviewed again before it is applied', async ({
  open,
  organisation,
}) => {
  await holdImport(organisation);
  const page = await open('/imports');
  await page.getByRole('link', { name: 'Review', exact: true }).click();
  await page.getByLabel(/^Type Confirm/).fill('Confirm');
  await organisation.import([HEADER, line(1, { LAST_NAME: 'Somebody' })]);
  await page.getByRole('button', { name: /^Approve: / }).click();
  await expect(page.getByText('The import was not approved')).toBeVisible();
  expect(await activeUsers(organisation)).toBe(30);
  await lookAt(page, 'held-import-outdated');
  await page.getByRole('button', { name: 'Review again' }).click();
  await page.getByLabel(/^Type Confirm/).fill('Confirm');
  await page.getByRole('button', { name: /^Approve: / }).click();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
});
