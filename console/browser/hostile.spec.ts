import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { HEADER, line } from './support/rosters';
import { fileOf, ImportWizard } from './support/wizard';

const MARKUP = { FIRST_NAME: '<img src=x onerror="didRun=1">', LAST_NAME: '<script>didRun=1</script>' };
const FORMULA = { FIRST_NAME: '=HYPERLINK("http://evil.example","x")', LAST_NAME: '+1+1' };
const RIGHT_TO_LEFT = { FIRST_NAME: 'שרה', LAST_NAME: 'كريم' };

async function expectNothingRan(page: Page): Promise<void> {
  expect(await page.evaluate(() => 'didRun' in window)).toBe(false);
}

test('values of users are shown as text only', async ({ open, organisation }) => {
  await organisation.import([HEADER, line(1, MARKUP), line(2, FORMULA), line(3, RIGHT_TO_LEFT)]);
  const page = await open('/users');
  const name = `${MARKUP.FIRST_NAME} ${MARKUP.LAST_NAME}`;
  await expect(page.getByRole('link', { name })).toBeVisible();
  await expect(page.getByRole('link', { name: `${FORMULA.FIRST_NAME} ${FORMULA.LAST_NAME}` })).toBeVisible();
  await lookAt(page, 'users-hostile');
  await page.getByRole('link', { name }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await lookAt(page, 'user-hostile');
  await expectNothingRan(page);
});

test('an export has no formula that a spreadsheet would run', async ({ open, organisation }) => {
  await organisation.import([HEADER, line(1, MARKUP), line(2, FORMULA)]);
  const page = await open('/users');
  await page.getByRole('button', { name: 'Export results' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'CSV file' }).click();
  const exported = await readFile(await (await download).path(), 'utf8');
  // An invisible character stands before what begins a formula; an import takes it away again.
  expect(exported).toContain('"\u200b=HYPERLINK(""http://evil.example"",""x"")",\u200b+1+1,');
  expect(exported).toContain('<script>didRun=1</script>');
});

test('a review of a hostile file shows values as text, and what cannot be seen', async ({ open }) => {
  const override = { FIRST_NAME: 'Ann\u202egpj.exe', LAST_NAME: '=1+1', ROLE: '<b>Chief</b>' };
  const lines = [HEADER, line(1, MARKUP), line(2, FORMULA), line(3, RIGHT_TO_LEFT), line(4, override)];
  const page = await open('/import-users');
  const wizard = new ImportWizard(page);
  await wizard.review(fileOf(`${lines.join('\n')}\n`, '<img src=x onerror=didRun=1>.csv'));
  const rows = page.getByRole('table', { name: 'Rows of the file' });
  await expect(page.getByRole('tab', { name: 'Rejected (1)' })).toBeVisible();
  await expect(rows).toContainText('U+202E');
  await lookAt(page, 'import-review-hostile');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the rejected rows' }).click();
  const rejected = await readFile(await (await download).path(), 'utf8');
  expect(rejected).toMatch(/,"?\u200b=1\+1"?,/);
  await page.getByRole('tab', { name: 'All (4)' }).click();
  await expect(rows).toContainText(MARKUP.LAST_NAME);
  await expect(rows).toContainText(FORMULA.FIRST_NAME);
  // Nothing on the page turns the text around it.
  expect(await page.locator('body').innerText()).not.toContain('\u202e');
  await expectNothingRan(page);
});
