import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';

test('a page that is loaded while the server is away says so, and opens by itself', async ({
  open,
  page,
  watch,
}) => {
  test.setTimeout(180_000);
  watch.allow(/ERR_CONNECTION_REFUSED/);
  await open('/users');
  const users = page.getByText('There are no users yet');
  await expect(users).toBeVisible();
  // The page itself may come from a proxy or from the browser's cache.
  const calls = /DirectoryService\/(GetCaller|ListOrganizations)$/;
  await page.route(calls, (route) => route.abort('connectionrefused'));
  await page.reload();
  const away = page.getByRole('status').filter({ hasText: 'The server does not answer. Trying again…' });
  await expect(away).toContainText('The server cannot be reached.');
  await lookAt(page, 'server-away-at-sign-in');
  await page.unroute(calls);
  await expect(users).toBeVisible({ timeout: 30_000 });

  await page.route(calls, (route) => route.abort('connectionrefused'));
  await page.reload();
  await expect(away).toBeVisible();
  await page.unroute(calls);
  await away.getByRole('button', { name: 'Try now' }).click();
  await expect(users).toBeVisible();
});

test('a server without an organisation says how to make one, and looks again', async ({
  page,
  startServer,
}) => {
  test.setTimeout(180_000);
  const server = await startServer({ hasToken: true });
  await page.goto(`${server.page}/imports#token=${await server.token()}`);
  await expect(page.getByText('There is no organisation yet')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'No organisation' })).toBeVisible();
  await lookAt(page, 'no-organisation');
  await server.command('--quiet', 'org', 'create', 'pd');
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Imports' })).toBeVisible();
});

test('addresses that lead nowhere say where to go', async ({ open, organisation }) => {
  const page = await open('/nowhere');
  await expect(page.getByText('There is no such page')).toBeVisible();
  await lookAt(page, 'not-found');
  await page.goto(`${organisation.server.page}/users?organisation=not-${organisation.slug}`);
  await expect(page.getByText('You have no organisation')).toBeVisible();
  await lookAt(page, 'organisation-not-found');
  const nobody = '0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10';
  await page.goto(`${organisation.server.page}/users/${nobody}?organisation=${organisation.slug}`);
  await expect(page.getByText('The user cannot be shown')).toBeVisible();
  await lookAt(page, 'user-not-found');
  await page.goto(`${organisation.server.page}/imports/${nobody}?organisation=${organisation.slug}`);
  await expect(page.getByText('The import cannot be shown')).toBeVisible();
  await lookAt(page, 'import-not-found');
});
