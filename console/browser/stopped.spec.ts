import { expect, test as base } from './support/fixtures';
import { lookAt } from './support/looks';
import { createOrganisation, type Organisation } from './support/organisation';
import { roster } from './support/rosters';
import { fileOf, ImportWizard } from './support/wizard';

const SIZE = 20_000;

// Small transactions: the import takes its time, and there are many places to stop it at.
const test = base.extend<{ own: Organisation }>({
  own: async ({ startServer }, provide) => {
    const server = await startServer({ serve: ['--transaction-rows', '20'], hasToken: true });
    await provide(await createOrganisation(server));
  },
});

test.setTimeout(300_000);

/** How many users the organisation has. */
async function countUsers(organisation: Organisation): Promise<number> {
  return (await organisation.users()).length - 1;
}

test('an import that is stopped says what was written, and a new review brings in the rest', async ({
  page,
  own,
}) => {
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  await wizard.review(fileOf(roster(SIZE)));
  await wizard.confirm('20,000 new');
  await page.waitForFunction(() => /Writing users · [1-9][\d,]* of/.test(document.body.innerText));
  await page.getByRole('button', { name: 'Stop the import' }).click();
  const end = page.getByRole('status').filter({ hasText: 'The import was stopped' });
  await expect(end).toBeVisible({ timeout: 60_000 });
  const written = await countUsers(own);
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(SIZE);
  const words = (count: number) => count.toLocaleString('en-GB');
  const rest = words(SIZE - written);
  await expect(end).toContainText(`${words(written)} users created`);
  await expect(end).toContainText(`${rest} of 20,000 rows were not imported. What was written stays.`);
  await lookAt(page, 'import-stopped');

  // A reload neither forgets that nor begins the import again.
  await page.reload();
  await expect(end).toContainText(`${rest} of 20,000 rows were not imported`, { timeout: 60_000 });
  expect(await countUsers(own)).toBe(written);

  await page.getByRole('button', { name: 'Review again' }).click();
  await expect(page.getByRole('tab', { name: `Unchanged (${words(written)})` })).toBeVisible({
    timeout: 60_000,
  });
  await wizard.confirm(`${rest} new`);
  await wizard.expectComplete();
  expect(await countUsers(own)).toBe(SIZE);
});

test('an import that is stopped from the list of imports says so on its own page', async ({ page, own }) => {
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  await wizard.review(fileOf(roster(SIZE)));
  await wizard.confirm('20,000 new');
  await page.waitForFunction(() => /Writing users · [1-9][\d,]* of/.test(document.body.innerText));
  await page.getByRole('link', { name: 'Imports' }).click();
  const running = page.getByRole('region', { name: 'Running now' });
  await running.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('dialog', { name: 'Stop this import?' }).getByRole('button', { name: 'Stop' }).click();
  await expect(running).toBeHidden({ timeout: 60_000 });
  await page.getByRole('link', { name: 'roster.csv' }).first().click();
  const end = page.getByRole('status').filter({ hasText: 'This import was stopped' });
  const rest = (SIZE - (await countUsers(own))).toLocaleString('en-GB');
  await expect(end).toContainText(`${rest} of 20,000 rows were not imported`);
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  await lookAt(page, 'import-stopped-record');
});

test('an import that is stopped at once is stopped as soon as the server can', async ({ page, own }) => {
  const wizard = new ImportWizard(page);
  await page.goto(await own.address('/import-users'));
  await wizard.review(fileOf(roster(SIZE)));
  await wizard.confirm('20,000 new');
  await page.getByRole('button', { name: 'Stop the import' }).click();
  // It depends on the machine whether the server has begun with it.
  const stopped = page.getByText('The import was stopped');
  const notBegun = page.getByText('You stopped this import before it had begun');
  await expect(stopped.or(notBegun)).toBeVisible({ timeout: 60_000 });
  if (await notBegun.isVisible()) {
    await expect(page.getByRole('button', { name: 'Continue', exact: true })).toBeEnabled({
      timeout: 60_000,
    });
    expect(await countUsers(own)).toBe(0);
  } else {
    expect(await countUsers(own)).toBeLessThan(SIZE);
  }
});
