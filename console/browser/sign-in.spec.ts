import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { createOrganisation, EXAMPLES } from './support/organisation';
import { ImportWizard } from './support/wizard';

test('the address that the program prints signs in, and the token leaves the address', async ({
  page,
  server,
  organisation,
}) => {
  expect(server.printed.join('\n')).toContain(`console: ${server.origin}/console/ `);
  const printed = await server.command('token', 'local', '--console', '--endpoint', server.origin);
  const address = printed.trim();
  expect(address).toMatch(/\/console\/#token=uit_[0-9a-f]{64}$/);
  await page.goto(address.replace(server.origin, server.page.replace('/console', '')));
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  expect(page.url()).not.toContain('token');
  const kept = await page.evaluate(() => JSON.stringify([history.state, document.title, history.length]));
  expect(kept).not.toContain('uit_');
  // Nothing of the tab's history has it either.
  await page.goto(`${server.page}/users?organisation=${organisation.slug}`);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  expect(page.url()).not.toContain('token');
});

test('without a token the page asks for one, and says how to get it', async ({
  page,
  organisation,
  server,
}) => {
  await page.goto(`${server.page}/?organisation=${organisation.slug}`);
  await expect(page.getByText('prints an address that signs you in')).toBeVisible();
  await lookAt(page, 'sign-in');
  await page.getByLabel('Token').fill(await server.token());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
});

test('a token that the server refuses is explained', async ({ page, organisation, server }) => {
  await page.goto(await organisation.address('/users', `uit_${'0'.repeat(64)}`));
  await expect(page.getByText('The server does not accept this sign-in')).toBeVisible();
  await lookAt(page, 'sign-in-refused');
  await page.getByLabel('Token').fill(await server.token());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
});

/** What the tab and the browser keep of the page, as text. */
async function keptBy(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const finished = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error('The database cannot be read.'));
      });
    const kept = Object.entries(sessionStorage).map(([key, value]) => `${key}: ${String(value)}`);
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await finished(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const keys = await finished(database.transaction(store).objectStore(store).getAllKeys());
        kept.push(...keys.map((key) => `${name}/${store}: ${JSON.stringify(key)}`));
      }
      database.close();
    }
    return kept;
  });
}

test('signing out forgets the token, and what was begun', async ({ open }) => {
  const page = await open('/import-users');
  await new ImportWizard(page).choose(join(EXAMPLES, 'roster.csv'));
  await expect(page.getByText('on the server')).toBeVisible();
  const before = (await keptBy(page)).join('\n');
  expect(before).toContain('uit_');
  expect(before).toContain('user-import-rosters/');
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByLabel('Token')).toBeVisible();
  await expect.poll(() => keptBy(page)).toEqual([]);
  await page.reload();
  await expect(page.getByLabel('Token')).toBeVisible();
});

test('a token that is revoked in the middle of work is asked for again over what was begun', async ({
  page,
  startServer,
}) => {
  const server = await startServer({ hasToken: true });
  const organisation = await createOrganisation(server);
  await organisation.import(join(EXAMPLES, 'roster-before.csv'));
  const token = await server.createToken('day', '--organization', organisation.slug);
  await page.goto(await organisation.address('/users', token));
  await expect(page.getByRole('link', { name: 'Priya Nair' })).toBeVisible();
  await server.revokeToken('day');
  const search = page.getByRole('textbox', { name: 'Search' });
  const again = page.getByRole('dialog', { name: 'Sign in again' });
  await search.fill('becker');
  await expect(again).toBeVisible();
  await again.getByLabel('Token').fill(await server.token());
  await again.getByRole('button', { name: 'Sign in' }).click();
  await expect(again).toBeHidden();
  await expect(search).toHaveValue('becker');
  await expect(page.getByRole('link', { name: 'Jonas Becker' })).toBeVisible();
});
