import type { Page } from '@playwright/test';

import { expect } from './support/fixtures';
import type { Account } from './support/identityProvider';
import { lookAt } from './support/looks';
import { createOrganisation, type Organisation } from './support/organisation';
import { signIn, signInAgain, test as base } from './support/providerFixtures';
import { roster } from './support/rosters';
import { fileOf, ImportWizard } from './support/wizard';

const SENDER: Account = { name: 'dana', organization: '*', permissions: ['users.read', 'users.import'] };

/** Long enough for all that comes before the end of a sign-in, on a slow machine too. */
const SECONDS = 30;

const test = base.extend<{ own: Organisation }>({
  own: async ({ startAdmitting }, provide) => {
    // Small transactions and a long lease: the import can be found in the middle of its work, and be paused there.
    const server = await startAdmitting('--transaction-rows', '20', '--lease-seconds', '120');
    await provide(await createOrganisation(server));
  },
});

test.setTimeout(300_000);

const signInEnds = (page: Page) => page.getByRole('dialog', { name: 'Sign in again' });

/** Waits until the page's sign-in has expired. */
async function untilExpired(page: Page): Promise<void> {
  const token = await page.evaluate(() => sessionStorage.getItem('user-import.token') ?? '');
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const { exp } = JSON.parse(claims) as { exp: number };
  const end = (exp + 1) * 1000;
  await expect.poll(() => Date.now(), { timeout: SECONDS * 2000 }).toBeGreaterThan(end);
}

test('an import is confirmed again if the sign-in expired while it was reviewed', async ({
  page,
  own,
  provider,
}) => {
  provider.admit(own.server.page, SENDER, SECONDS);
  await page.goto(`${own.server.page}/import-users`);
  await signIn(page, SENDER);
  const wizard = new ImportWizard(page);
  await wizard.review(fileOf(roster(30)));
  await untilExpired(page);
  await wizard.confirm('30 new');
  await expect(signInEnds(page)).toContainText('Nothing is lost');
  expect(await own.users()).toHaveLength(1);
  await lookAt(page, 'import-sign-in-again');

  provider.admit(own.server.page, SENDER, 600);
  await signInAgain(page, SENDER);
  await expect(page.getByText('You signed in again before this import had begun')).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Created (30)' })).toBeVisible();
  expect(await own.users()).toHaveLength(1);
  await wizard.confirm('30 new');
  await wizard.expectComplete();
  expect(await own.users()).toHaveLength(31);
});

test('an import goes on if the sign-in expires while it is applied', async ({ page, own, provider }) => {
  provider.admit(own.server.page, SENDER, SECONDS);
  await page.goto(`${own.server.page}/import-users`);
  await signIn(page, SENDER);
  const wizard = new ImportWizard(page);
  await wizard.review(fileOf(roster(20_000)));
  await wizard.confirm('20,000 new');
  await page.waitForFunction(() => /Writing users · [1-9][\d,]* of/.test(document.body.innerText));
  own.server.pause();
  await untilExpired(page);
  own.server.resume();
  await expect(signInEnds(page)).toContainText('Nothing is lost', { timeout: 60_000 });
  await expect(page.getByRole('heading', { level: 2, name: 'Results' })).toBeVisible();

  provider.admit(own.server.page, SENDER, 600);
  await signInAgain(page, SENDER);
  await wizard.expectComplete();
  await expect(page.getByText('20,000 users created')).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Created (20,000)' })).toBeVisible();
  expect(await own.users()).toHaveLength(20_001);
  const imports = await own.command('imports', '--format', 'json');
  expect(imports.match(/IMPORT_STATE_COMPLETED(?!.*validateOnly)/g)).toHaveLength(1);
});

/** A token of the same name in place of the one that has just ended. */
async function enterNewToken(page: Page, own: Organisation): Promise<void> {
  const token = await own.server.createToken('day', '--organization', own.slug);
  await signInEnds(page).getByLabel('Token').fill(token);
  await signInEnds(page).getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(signInEnds(page)).toBeHidden();
}

test('an upload and a review go on under another token of the same person', async ({ page, own }) => {
  const token = await own.server.createToken('day', '--organization', own.slug);
  let parts = 0;
  await page.route(/ImportService\/AppendImport$/, async (route) => {
    parts += 1;
    if (parts === 3) {
      await own.server.revokeToken('day');
    }
    await route.continue();
  });
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users', token));
  // Some MiB with few rows: the column is reserved, and its values are not stored.
  const padded = fileOf(roster(2000, () => ({ LOCATION: 'x'.repeat(2000) })));
  await page.getByLabel('Roster file').setInputFiles(padded);
  await expect(signInEnds(page)).toBeVisible({ timeout: 60_000 });
  await enterNewToken(page, own);
  await expect(page.getByText('on the server')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/^\d+ columns?, header on line \d+$/)).toBeVisible();
  await wizard.toOptions();
  await wizard.next('Review');
  await expect(page.getByRole('tab', { name: 'Created (2,000)' })).toBeVisible({ timeout: 60_000 });

  await own.server.revokeToken('day');
  await wizard.confirm('2,000 new');
  await expect(signInEnds(page)).toBeVisible({ timeout: 60_000 });
  await enterNewToken(page, own);
  await expect(page.getByText('You signed in again before this import had begun')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeEnabled({ timeout: 60_000 });
  expect(await own.users()).toHaveLength(1);
  await wizard.confirm('2,000 new');
  await wizard.expectComplete();
  expect(await own.users()).toHaveLength(2001);
});
