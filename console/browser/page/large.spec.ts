import { open as openFile } from 'node:fs/promises';

import { expect, test } from '../support/fixtures';
import { framesDuring, longTasksDuring, memoryOf, noteLongTasks } from '../support/measure';
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
  const second = () => new Promise<void>((resolve) => setTimeout(resolve, 1000));
  const idle = await framesDuring(page, second);
  let scrolling: number[] = [];
  const longTasks = await longTasksDuring(page, async () => {
    scrolling = await framesDuring(page, async () => {
      const end = Date.now() + 1000;
      while (Date.now() < end) {
        await page.mouse.wheel(0, 400);
      }
    });
  });
  test
    .info()
    .annotations.push(
      { type: 'frames of a second, idle and scrolling', description: `${idle.length}, ${scrolling.length}` },
      { type: 'long tasks of scrolling', description: longTasks.join(', ') },
    );
  expect(await rows.evaluate((one) => one.scrollTop)).toBeGreaterThan(1000);
  // What a frame lacks while nothing happens, others on this machine have taken.
  expect(scrolling.length).toBeGreaterThan(idle.length * 0.75);
  expect(Math.max(0, ...longTasks)).toBeLessThanOrEqual(100);

  await rows.evaluate((one) => one.scrollTo({ top: one.scrollHeight }));
  await expect(rows).toContainText('T-100000');
  const typing = await longTasksDuring(page, async () => {
    await page.getByLabel('Search the rows').pressSequentially('Officer 99999');
    await expect(page.getByText('1 row found', { exact: true })).toBeVisible();
  });
  expect(Math.max(0, ...typing), 'longest pause while rows are searched').toBeLessThanOrEqual(100);
  expect(await memoryOf(page)).toBeLessThanOrEqual(300);
});

test('100 MB are sent without freezing the page', async ({ page, open, organisation }) => {
  test.setTimeout(240_000);
  await noteLongTasks(page);
  await open('/import-users');
  const path = organisation.server.file('huge.csv');
  expect(await writeRoster(path, 25_500, 'x'.repeat(4000))).toBeGreaterThan(100e6);
  const bodies: number[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/AppendImport')) {
      bodies.push(request.postDataBuffer()?.length ?? 0);
    }
  });
  const longTasks = await longTasksDuring(page, async () => {
    await new ImportWizard(page).choose(path);
    await expect(page.getByText('on the server')).toBeVisible({ timeout: 180_000 });
  });
  test.info().annotations.push({ type: 'long tasks of sending', description: longTasks.join(', ') });
  expect(Math.max(0, ...longTasks)).toBeLessThanOrEqual(100);
  expect(bodies.length).toBeGreaterThanOrEqual(96);
  expect(Math.max(...bodies)).toBeLessThanOrEqual(1024 * 1024 + 1024);
  expect(await memoryOf(page)).toBeLessThanOrEqual(300);
});
