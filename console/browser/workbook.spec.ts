import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';

import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { createOrganisation } from './support/organisation';
import { roster } from './support/rosters';
import { ImportWizard } from './support/wizard';

const SIZE = 12_000;
const PART = 1024 * 1024;

// Nobody can compress these names, so the workbook is large with few rows.
const random = () => randomBytes(40).toString('base64url');

test('a workbook of several parts is sent, reviewed and imported', async ({
  open,
  organisation,
  server,
  watch,
}) => {
  test.setTimeout(300_000);
  watch.allow(/ERR_CONNECTION_RESET/);
  const other = await createOrganisation(server);
  const lines = roster(SIZE, () => ({ FIRST_NAME: random(), LAST_NAME: random() }));
  await other.import(lines.trim().split('\n'));
  const path = server.file('everybody.xlsx');
  await other.command('--quiet', 'export', '--output', path);
  const { size } = await stat(path);
  expect(size).toBeGreaterThan(PART);

  const page = await open('/import-users');
  let parts = 0;
  await page.route(/ImportService\/AppendImport$/, async (route) => {
    parts += 1;
    // The second part does not arrive at first.
    await (parts === 2 ? route.abort('connectionreset') : route.continue());
  });
  const wizard = new ImportWizard(page);
  await wizard.choose(path);
  await expect(page.getByText('on the server')).toBeVisible({ timeout: 60_000 });
  expect(parts).toBe(Math.ceil(size / PART) + 1);
  await lookAt(page, 'import-file-workbook');
  await wizard.toOptions();
  await wizard.next('Review');
  await expect(page.getByRole('tab', { name: 'Created (12,000)' })).toBeVisible({ timeout: 120_000 });
  await wizard.confirm('12,000 new');
  await wizard.expectComplete();
  // Nothing was sent twice: the review and the import have the bytes of the first upload.
  expect(parts).toBe(Math.ceil(size / PART) + 1);
  expect(await organisation.users()).toEqual(await other.users());
});
