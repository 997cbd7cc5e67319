import { expect, test } from './support/fixtures';
import { holdImport } from './support/imports';
import { lookAt } from './support/looks';
import { createOrganisation } from './support/organisation';

test('what a token may not do is explained in place of a dead button', async ({ page, startServer }) => {
  test.setTimeout(180_000);
  const server = await startServer({ hasToken: true });
  const organisation = await createOrganisation(server);
  await holdImport(organisation);
  const scope = ['--organization', organisation.slug, '--permission', 'users.read'];
  const token = await server.createToken('reader', ...scope);
  await page.goto(await organisation.address('/users?text=T-1', token));
  await page.getByRole('link', { name: 'Robin Officer 1', exact: true }).click();
  await expect(page.getByText('lacks the permission users.deactivate')).toBeVisible();
  await expect(page.getByRole('switch')).toHaveCount(0);
  await lookAt(page, 'user-read-only');
  await page.getByRole('link', { name: 'Imports' }).first().click();
  await expect(page.getByText('lacks the permission users.approve')).toBeVisible();
  await expect(page.getByText('lacks the permission users.import')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Discard' })).toHaveCount(0);
  await lookAt(page, 'imports-read-only');
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByText('lacks the permission catalog.write')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save catalog' })).toHaveCount(0);
  await lookAt(page, 'settings-read-only');
});

test('a server that is away is said in words, and the page goes on when it is back', async ({
  page,
  startServer,
  watch,
}) => {
  const server = await startServer({ hasToken: true });
  await server.command('--quiet', 'org', 'create', 'pd');
  await page.goto(`${server.page}/users?organisation=pd#token=${await server.token()}`);
  await expect(page.getByText('There are no users yet')).toBeVisible();
  watch.allow(/Failed to load resource|ERR_CONNECTION|net::|502|500/);
  // The page loads its other screens a few seconds after the first one.
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some(({ name }) => /\/AuditPage-[^/]*\.js$/.test(name)),
  );
  await server.kill();
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByText('The trail cannot be shown')).toBeVisible({ timeout: 30_000 });
  await lookAt(page, 'audit-server-away');
  await server.restart();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText(/created the organisation/)).toBeVisible();
});
