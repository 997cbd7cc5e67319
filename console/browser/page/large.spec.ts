import { open as openFile } from 'node:fs/promises';

import { expect, test } from '../support/fixtures';
import {
  framesOfScrolling,
  longTasksDuring,
  memoryOf,
  noteLongTasks,
  showPlainTable,
  slowdown,
} from '../support/measure';
import { HEADER, line } from '../support/rosters';
import { ImportWizard } from '../support/wizard';

/** Writes a roster without holding it in memory. */
async function writeRoster(path: string, rows: number, location: string): Promise<number> {
  const file = await openFile(path, 'w');
  await file.write(`${HEADER}\n`);
  for (let first = 1; first <= rows; first += 1000) {
    const lines = Array.from({ length: Math.min(1000, rows - first + 1) }, (_, index) =>
      line(first + index, { LOCATION: location, FIRST_NAME: index % 100 ? 'Robin' : '' }),
    );
    await file.write(`${lines.join('\n')}\n`);
  }
  const { size } = await file.stat();
  await file.close();
  return size;
}

test('a review of 100,000 rows stays within its memory, scrolls and answers', async ({
  page,
  open,
  context,
  organisation,
}) => {
  test.setTimeout(240_000);
  await noteLongTasks(page);
  await open('/import-users');
  const path = organisation.server.file('large.csv');
  await writeRoster(path, 100_000, '');
  const wizard = new ImportWizard(page);
  await wizard.choose(path);
  await wizard.toOptions();
  await wizard.next('Review');
  await expect(page.getByRole('tab', { name: 'All (100,000)' })).toBeVisible({ timeout: 180_000 });
  await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeEnabled({ timeout: 60_000 });
  await expect(page.getByRole('tab', { name: 'Rejected (1,000)' })).toBeVisible();

  const memory = await memoryOf(page);
  test.info().annotations.push({ type: 'MiB of the tab', description: memory.toFixed(0) });
  expect(memory).toBeLessThanOrEqual(300);

  await page.getByRole('tab', { name: 'All (100,000)' }).click();
  const rows = page.getByRole('region', { name: 'Rows of the file' });
  await rows.hover();
  let frames = 0;
  const longTasks = await longTasksDuring(page, async () => {
    frames = await framesOfScrolling(page);
  });
  expect(await rows.evaluate((one) => one.scrollTop)).toBeGreaterThan(1000);
  const plain = await context.newPage();
  await noteLongTasks(plain);
  await plain.goto('about:blank');
  await showPlainTable(plain);
  const plainFrames = await framesOfScrolling(plain);
  await plain.close();
  const factor = await slowdown(page);
  test.info().annotations.push(
    { type: 'frames of a second, and of a plain table', description: `${frames}, ${plainFrames}` },
    {
      type: 'long tasks of scrolling, slowdown',
      description: `${longTasks.join(', ')}; ${factor.toFixed(1)}`,
    },
  );
  expect(frames, `of ${plainFrames} frames of a plain table`).toBeGreaterThan(plainFrames * 0.5);
  expect(Math.max(0, ...longTasks)).toBeLessThanOrEqual(100 * factor);

  await rows.evaluate((one) => one.scrollTo({ top: one.scrollHeight }));
  await expect(rows).toContainText('T-100000');
  const typing = await longTasksDuring(page, async () => {
    await page.getByLabel('Search the rows').pressSequentially('Officer 99999');
    await expect(page.getByText('1 row found', { exact: true })).toBeVisible();
  });
  expect(Math.max(0, ...typing), 'longest pause while rows are searched').toBeLessThanOrEqual(100 * factor);
  expect(await memoryOf(page)).toBeLessThanOrEqual(300);
});

test('100 MB are sent without freezing the page', async ({ page, open, organisation }) => {
  test.setTimeout(240_000);
  await noteLongTasks(page);
  await open('/import-users');
  const path = organisation.server.file('huge.csv');
  expect(await writeRoster(path, 25_500, 'x'.repeat(4000))).toBeGreaterThan(100e6);
  let parts = 0;
  page.on('request', (request) => {
    parts += Number(request.url().endsWith('/AppendImport'));
  });
  const longTasks = await longTasksDuring(page, async () => {
    await new ImportWizard(page).choose(path);
    await expect(page.getByText('on the server')).toBeVisible({ timeout: 180_000 });
  });
  test.info().annotations.push({ type: 'long tasks of sending', description: longTasks.join(', ') });
  expect(Math.max(0, ...longTasks)).toBeLessThanOrEqual(100 * (await slowdown(page)));
  expect(parts).toBeGreaterThanOrEqual(96);
  expect(await memoryOf(page)).toBeLessThanOrEqual(300);
});
