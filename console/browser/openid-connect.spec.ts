import { join } from 'node:path';

import { expect } from './support/fixtures';
import type { Account } from './support/identityProvider';
import { lookAt } from './support/looks';
import { createOrganisation, EXAMPLES } from './support/organisation';
import { signIn, signInAgain, test as base } from './support/providerFixtures';
import type { Server } from './support/server';

const test = base.extend<{ admitted: Server }>({
  admitted: async ({ startAdmitting }, provide) => {
    await provide(await startAdmitting());
  },
});

const OPERATOR: Account = { name: 'dana', organization: '*', permissions: ['users.read', 'users.import'] };

test('people sign in at the identity provider and come back to where they were', async ({
  page,
  provider,
  admitted,
}) => {
  await createOrganisation(admitted);
  provider.admit(admitted.page, OPERATOR, 600);
  await page.goto(`${admitted.page}/users?text=ortega`);
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible();
  await lookAt(page, 'sign-in-with-provider');
  await page.getByRole('button', { name: `Sign in with ${new URL(provider.issuer).host}` }).click();
  await page.getByRole('button', { name: 'I am dana' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  expect(page.url()).toBe(`${admitted.page}/users?text=ortega`);
  await page.getByRole('button', { name: /^Account: / }).click();
  await expect(page.getByText('dana', { exact: false }).first()).toBeVisible();
  await expect(page.getByText('Signed in until')).toBeVisible();
});

test('a sign-in that the provider refuses is explained', async ({ page, provider, admitted }) => {
  provider.admit('http://127.0.0.1:9/console', OPERATOR, 600);
  await page.goto(
    `${admitted.page}/sign-in/callback?error=access_denied&error_description=Not%20today&state=x`,
  );
  await expect(page.getByText('The identity provider did not sign you in')).toBeVisible();
  await lookAt(page, 'sign-in-refused-by-provider');
  await page.getByRole('link', { name: 'Try again' }).click();
  await expect(page.getByRole('button', { name: /^Sign in with / })).toBeVisible();
});

test('what a principal may not do is explained', async ({ page, provider, admitted }) => {
  const { slug } = await createOrganisation(admitted);
  provider.admit(admitted.page, { ...OPERATOR, permissions: ['users.import'] }, 600);
  await page.goto(`${admitted.page}/users`);
  await signIn(page, OPERATOR);
  await expect(page.getByText('You may not list organisations')).toBeVisible();
  await page.goto(`${admitted.page}/?organisation=${slug}`);
  await expect(page.getByText('You may not see users')).toBeVisible();
  await lookAt(page, 'users-not-permitted');
});

test('a sign-in that expires is asked for again, and what was begun stays', async ({
  page,
  provider,
  admitted,
}) => {
  test.setTimeout(180_000);
  const organisation = await createOrganisation(admitted);
  await organisation.import(join(EXAMPLES, 'roster-before.csv'));
  provider.admit(admitted.page, OPERATOR, 20);
  await page.goto(`${admitted.page}/users`);
  await signIn(page, OPERATOR);
  const search = page.getByRole('textbox', { name: 'Search' });
  const again = page.getByRole('dialog', { name: 'Sign in again' });
  let letters = '';
  // The page calls the server with each letter, until the server refuses the token.
  await expect(async () => {
    letters = letters.length < 9 ? `${letters}o` : 'o';
    await search.fill(letters);
    await expect(again).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 60_000 });
  await expect(search).toHaveValue(letters);
  await lookAt(page, 'sign-in-again');
  provider.admit(admitted.page, OPERATOR, 600);
  // In a window of its own: the page stays as it is.
  await signInAgain(page, OPERATOR);
  await expect(search).toHaveValue(letters);
  await expect.poll(() => page.context().pages()).toEqual([page]);
});
