import type { Page } from '@playwright/test';

import { expect, test } from './support/fixtures';
import { holdImport } from './support/imports';
import { lookAt } from './support/looks';
import { createOrganisation } from './support/organisation';
import { HEADER, line, roster } from './support/rosters';
import type { Server } from './support/server';
import { fileOf, ImportWizard } from './support/wizard';

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

/** An organisation with a held import and a finished one, and a token of it that may do only this. */
async function withToken(startServer: () => Promise<Server>, permissions: string) {
  const server = await startServer();
  const organisation = await createOrganisation(server);
  await holdImport(organisation);
  const token = await server.createToken(
    'limited',
    '--organization',
    organisation.slug,
    '--permission',
    permissions,
  );
  return { organisation, address: (path: string) => organisation.address(path, token) };
}

const lacks = (page: Page, permission: string) => page.getByText(`lacks the permission ${permission}`);

test('without users.read there is no screen of users, and an import goes its whole way', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const { organisation, address } = await withToken(() => startServer({ hasToken: true }), 'users.import');
  await page.goto(await address('/users'));
  await expect(lacks(page, 'users.read')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Export results' })).toHaveCount(0);
  await lookAt(page, 'users-without-read');
  for (const screen of ['Imports', 'Settings', 'Audit']) {
    await page.getByRole('link', { name: screen, exact: true }).click();
    await expect(page.getByRole('heading', { level: 1, name: screen })).toBeVisible();
    await expect(lacks(page, 'users.read')).toBeVisible();
    await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
    await lookAt(page, `${screen.toLowerCase()}-without-read`);
  }
  await page.keyboard.press('Control+k');
  const search = page.getByRole('dialog', { name: 'Quick search' });
  await search.getByRole('textbox').fill('robin');
  await expect(search).toContainText('you need the permission users.read');
  await page.keyboard.press('Escape');

  const wizard = new ImportWizard(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Import users' }).click();
  await wizard.review(
    fileOf([HEADER, line(1, { LAST_NAME: 'Changed' }), line(40), line(41, { ROLE: 'Wizard' })].join('\n')),
  );
  await lookAt(page, 'import-review-without-read');
  await wizard.confirm('1 new, 1 changed');
  await wizard.expectComplete();
  await expect(lacks(page, 'users.read')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo this import' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Undo this import' })).toHaveCount(0);
  await lookAt(page, 'import-results-without-read');
  expect(await organisation.users()).toHaveLength(32);
});

test('with users.read only every screen can be read, and says what it needs', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const { address } = await withToken(() => startServer({ hasToken: true }), 'users.read');
  await page.goto(await address('/import-users'));
  await expect(lacks(page, 'users.import')).toBeVisible();
  await expect(page.getByLabel('Roster file')).toHaveCount(0);
  await lookAt(page, 'import-users-read-only');
  await page.getByRole('link', { name: 'Imports' }).click();
  await page.getByRole('link', { name: 'nightly roster' }).first().click();
  await expect(lacks(page, 'users.approve')).toBeVisible();
  await expect(lacks(page, 'users.import')).toBeVisible();
  await lookAt(page, 'held-import-read-only');
  await page.getByRole('link', { name: 'Imports' }).first().click();
  await page.getByRole('table').getByRole('link').last().click();
  await expect(page.getByText('which is needed to undo this import')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0);
  await lookAt(page, 'import-read-only');
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByRole('button', { name: /Verify/ })).toBeVisible();
});

test('without users.deactivate nobody is made inactive, and the option says why it is missing', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const permissions = 'users.read,users.import,users.approve';
  const { organisation, address } = await withToken(() => startServer({ hasToken: true }), permissions);
  const wizard = new ImportWizard(page);
  await page.goto(await address('/import-users'));
  await wizard.choose(fileOf([HEADER, line(1, { STATUS: 'Inactive' }), line(40)].join('\n')));
  await wizard.toOptions();
  await expect(lacks(page, 'users.deactivate')).toBeVisible();
  await expect(page.getByRole('checkbox', { name: /^Deactivate all/ })).toHaveCount(0);
  await lookAt(page, 'import-options-without-deactivate');
  await wizard.next('Review');
  await expect(page.getByRole('tab', { name: 'Rejected (1)' })).toBeVisible();
  await wizard.confirm('1 new');
  await wizard.expectComplete();
  expect((await organisation.users()).filter((user) => user.includes(',Inactive,'))).toHaveLength(0);

  // A held import that would deactivate users needs the permission of the person who approves it, too.
  await page.getByRole('link', { name: 'Imports' }).click();
  await page.getByRole('link', { name: 'Review', exact: true }).click();
  await expect(
    page.getByText('Approving needs the permission users.deactivate, which you lack.'),
  ).toBeVisible();
  await expect(page.getByRole('button', { name: /^Approve/ })).toHaveCount(0);
  await lookAt(page, 'held-import-without-deactivate');
});

test('without users.approve a held import can be discarded, and not approved', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const permissions = 'users.read,users.import,users.deactivate';
  const { address } = await withToken(() => startServer({ hasToken: true }), permissions);
  await page.goto(await address('/imports'));
  await expect(lacks(page, 'users.approve')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Approve' })).toHaveCount(0);
  await lookAt(page, 'imports-without-approve');
  await page.getByRole('link', { name: 'nightly roster' }).first().click();
  await expect(lacks(page, 'users.approve')).toBeVisible();
  await lookAt(page, 'held-import-without-approve');
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Nothing was written.' })).toBeVisible();
});

test('an import that was sent with the option to deactivate users is not offered without the permission', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const server = await startServer({ hasToken: true });
  const organisation = await createOrganisation(server);
  // It lists everybody, and without the permission its rows are rejected: an approval would deactivate nobody.
  const leaving = roster(30, (number) => (number > 5 ? { STATUS: 'Inactive' } : {}));
  await holdImport(organisation, leaving.trim().split('\n'));
  const scope = ['--organization', organisation.slug];
  const permissions = ['--permission', 'users.read,users.import,users.approve'];
  const token = await server.createToken('limited', ...scope, ...permissions);
  await page.goto(await organisation.address('/imports', token));
  await expect(lacks(page, 'users.deactivate')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Approve' })).toHaveCount(0);
  await lookAt(page, 'imports-without-deactivate');
  await page.getByRole('link', { name: 'Review', exact: true }).click();
  await expect(page.getByText('The import was sent with the option to deactivate users')).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Rejected (25)' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Approve/ })).toHaveCount(0);
});

test('where somebody else has to approve it, an import is not offered to its sender', async ({
  page,
  startServer,
}) => {
  test.setTimeout(300_000);
  const server = await startServer({ hasToken: true, serve: ['--four-eyes'] });
  const organisation = await createOrganisation(server);
  await holdImport(organisation);
  const sentByCaller = page.getByText('You have sent this import');
  await page.goto(await organisation.address('/imports'));
  await expect(sentByCaller).toBeVisible();
  await expect(page.getByRole('link', { name: 'Approve' })).toHaveCount(0);
  await lookAt(page, 'imports-of-ones-own');
  await page.getByRole('link', { name: 'Review', exact: true }).click();
  await expect(page.getByText('Why this import is held')).toBeVisible();
  await expect(sentByCaller).toBeVisible();
  await expect(page.getByRole('button', { name: /^Approve/ })).toHaveCount(0);

  const other = await server.createToken('second pair of eyes', '--organization', organisation.slug);
  await page.goto(await organisation.address('/imports', other));
  await page.getByRole('link', { name: 'Approve', exact: true }).click();
  await page.getByLabel(/^Type Confirm/).fill('Confirm');
  await page.getByRole('button', { name: /^Approve: / }).click();
  await expect(page.getByText('Completed', { exact: true }).first()).toBeVisible();
});
