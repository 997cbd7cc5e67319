import type { Page } from '@playwright/test';

import { expect, test as base } from './support/fixtures';
import { createOrganisation, type Organisation } from './support/organisation';
import { roster } from './support/rosters';
import { fileOf, ImportWizard } from './support/wizard';

const CONNECTION = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|ERR_FAILED|status of 50\d/;

/** A roster of some MiB with few rows: the column is reserved, and its values are not stored. */
const padded = (rows: number) => fileOf(roster(rows, () => ({ LOCATION: 'x'.repeat(4000) })));

// A server of the test's own, whose token is good after a restart.
const test = base.extend<{ own: Organisation }>({
  own: async ({ startServer, watch }, provide) => {
    watch.allow(CONNECTION);
    const serve = ['--lease-seconds', '2', '--transaction-rows', '50'];
    await provide(await createOrganisation(await startServer({ serve, hasToken: true })));
  },
});

/** Does something instead of sending a part of the file, once, when so many have been sent. */
async function atPart(page: Page, number: number, action: () => Promise<void>): Promise<() => number> {
  let parts = 0;
  await page.route(/ImportService\/AppendImport$/, async (route) => {
    parts += 1;
    if (parts === number) {
      await action();
      await route.abort('connectionreset');
    } else {
      await route.continue();
    }
  });
  return () => parts;
}

test('an upload goes on after the server was killed and started again', async ({ page, own }) => {
  const parts = await atPart(page, 4, () => own.server.kill());
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  const lost = page.getByText('The connection is lost. Trying again…');
  // Whether the server has looked at the file before it is killed depends on the machine.
  await page.getByLabel('Roster file').setInputFiles(padded(2000));
  await expect(lost.first()).toBeVisible();
  await own.server.restart();
  await expect(page.getByText(/^\d+ columns?, header on line \d+$/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText('on the server')).toBeVisible({ timeout: 60_000 });
  await expect(lost).toHaveCount(0);
  // The parts that the server has are not sent again: 8 MiB in parts of 1 MiB.
  expect(parts()).toBeLessThanOrEqual(12);
  await wizard.toOptions();
  await wizard.next('Review');
  await wizard.confirm('2,000 new');
  await wizard.expectComplete();
  expect(await own.users()).toHaveLength(2001);
});

test('an upload goes on after the page was loaded again', async ({ page, own }) => {
  const reloaded = page.waitForEvent('load', { predicate: () => parts() >= 3 });
  const parts = await atPart(page, 3, async () => {
    void page.reload();
    await page.waitForEvent('framenavigated');
  });
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  await page.getByLabel('Roster file').setInputFiles(padded(2000));
  await reloaded;
  await expect(page.getByText('roster.csv')).toBeVisible();
  await expect(page.getByText('on the server')).toBeVisible();
  expect(parts()).toBeLessThanOrEqual(12);
  await wizard.toOptions();
  await wizard.next('Review');
  await wizard.confirm('2,000 new');
  await wizard.expectComplete();
  expect(await own.users()).toHaveLength(2001);
});

test('an import goes on after the server was killed in the middle of it, and after a reload', async ({
  page,
  own,
}) => {
  test.setTimeout(240_000);
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  await wizard.review(fileOf(roster(20_000)));
  await wizard.confirm('20,000 new');
  // Looked for at every frame: the import takes a few seconds.
  await page.waitForFunction(() => /Writing users · [1-9][\d,]* of/.test(document.body.innerText));
  await own.server.kill();
  const lost = page.getByText('The connection is lost. Trying again…');
  // On a slow machine the import may have ended before the server is killed. What follows holds all the same.
  await expect(lost.or(page.getByText('The import is complete')).first()).toBeVisible();
  if (await lost.first().isVisible()) {
    const said = await page.getByRole('main').innerText();
    expect(said).toMatch(/Writing users · [1-9][\d,]* of 20,000/);
    const written = /Writing users · ([\d,]+) of/.exec(said)?.[1] ?? '20,000';
    expect(Number(written.replace(',', ''))).toBeLessThan(20_000);
  } else {
    test.info().annotations.push({ type: 'the import ended before the server', description: 'slow machine' });
  }
  await own.server.restart();
  await page.reload();
  await wizard.expectComplete();
  await expect(page.getByText('20,000 users created')).toBeVisible();
  expect(await own.users()).toHaveLength(20_001);
});
