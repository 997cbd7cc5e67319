import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';

test('the token of an address signs in and leaves the address', async ({ page, organisation }) => {
  await page.goto(await organisation.address('/users'));
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
  expect(page.url()).not.toContain('token');
  await page.goBack().catch(() => null);
  expect(page.url()).not.toContain('uit_');
});

test('without a token the page asks for one', async ({ page, server }) => {
  await page.goto(`${server.page}/`);
  await expect(page.getByRole('heading', { level: 1, name: 'User Import' })).toBeVisible();
  await lookAt(page, 'sign-in');
  await page.getByLabel('Token').fill(await server.token());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible();
});
