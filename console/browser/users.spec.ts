import { readFile } from 'node:fs/promises';

import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';
import { HEADER, line } from './support/rosters';

/** Sixty-three users: two pages. */
const LINES = [HEADER, ...Array.from({ length: 63 }, (_, index) => line(index + 101, person(index)))];

function person(index: number): Readonly<Record<string, string>> {
  return {
    ...(index % 9 === 0 && { STATUS: 'Inactive' }),
    ...(index % 5 === 0 && { ROLE: 'Supervisor', EVIDENCE_GROUP_EXT_ID: 'PATROL-N' }),
    ...(index === 62 && { FIRST_NAME: 'Aaron', LAST_NAME: 'Aalto' }),
  };
}

test('users are paged, sorted, filtered and found, and the address keeps that', async ({
  open,
  organisation,
}) => {
  await organisation.import(LINES);
  const page = await open('/users');
  const names = page.getByRole('rowgroup').last().getByRole('link');
  await expect(page.getByText('1 to 50 of 63 users')).toBeVisible();
  await expect(names).toHaveCount(50);
  await lookAt(page, 'users');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByText('51 to 63 of 63 users')).toBeVisible();
  await page.reload();
  await expect(page.getByText('51 to 63')).toBeVisible();
  await page.getByRole('button', { name: 'Previous' }).click();
  await expect(names).toHaveCount(50);
  await page.getByRole('button', { name: 'Name' }).click();
  await expect(names.first()).toHaveText('Aaron Aalto');
  await expect(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await page.getByRole('combobox', { name: 'Status' }).click();
  await page.getByRole('option', { name: 'Inactive' }).click();
  await expect(page.getByText('7 users')).toBeVisible();
  await page.getByRole('textbox', { name: 'Search users' }).fill('T-119');
  await expect(page.getByText('1 user', { exact: true })).toBeVisible();
  expect(new URL(page.url()).searchParams.get('status')).toBe('inactive');
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Search users' })).toHaveValue('T-119');
  await page.getByRole('textbox', { name: 'Search users' }).fill('nobody has this');
  await expect(page.getByText('No user passes the filters')).toBeVisible();
  await lookAt(page, 'users-none-found');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(names).toHaveCount(50);
});

test('an organisation without users says what to do', async ({ open }) => {
  const page = await open('/users');
  await expect(page.getByText('There are no users yet')).toBeVisible();
  await lookAt(page, 'users-empty');
});

test('the users that pass the filter are exported', async ({ open, organisation }) => {
  await organisation.import(LINES);
  const page = await open('/users?role=Supervisor');
  await expect(page.getByText('13 users')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export results' }).click();
  await page.getByRole('menuitem', { name: 'Excel workbook' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/-users-\d{4}-\d{2}-\d{2}\.xlsx$/);
  expect((await readFile(await file.path())).subarray(0, 2).toString()).toBe('PK');
  const text = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export results' }).click();
  await page.getByRole('menuitem', { name: 'CSV file' }).click();
  const lines = (await readFile(await (await text).path(), 'utf8')).trim().split(/\r?\n/);
  expect(lines).toHaveLength(14);
});

test('one user has attributes, a supervisor, a protection and imports', async ({ open, organisation }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`, '--source', 'yesterday');
  await organisation.import(`${EXAMPLES}/roster.csv`, '--source', 'today');
  const page = await open('/users?text=P-1005');
  await page.getByRole('link', { name: 'Priya Nair' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Priya Nair' })).toBeVisible();
  await expect(page.getByRole('row', { name: /today.*Updated BADGE_NUMBER/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /yesterday.*Created/ })).toBeVisible();
  await page.getByText('is not protected').waitFor();
  await page.getByRole('switch', { name: 'Protected' }).click();
  await expect(page.getByText('Priya Nair is protected')).toBeVisible();
  await lookAt(page, 'user');
  const supervisor = page.getByRole('definition').getByRole('link').first();
  const name = (await supervisor.textContent()) ?? '';
  await supervisor.click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('the quick search goes to screens, users and imports', async ({ open, organisation }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`, '--source', 'nightly job');
  const page = await open('/users');
  await expect(page.getByRole('link', { name: 'Dana Whitfield' })).toBeVisible();
  const search = page.getByRole('dialog', { name: 'Quick search' });
  await page.keyboard.press('Control+k');
  await search.getByRole('textbox').fill('whitf');
  await expect(search.getByText('Dana Whitfield')).toBeVisible();
  await lookAt(page, 'quick-search');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Dana Whitfield' })).toBeVisible();
  await page.keyboard.press('Control+k');
  await search.getByRole('textbox').fill('nightly');
  await search.getByText('nightly job').click();
  await expect(page.getByRole('heading', { level: 1, name: 'nightly job' })).toBeVisible();
});
