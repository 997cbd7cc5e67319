import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';

/** The example's catalog with another rank, as a file. */
async function withRank(file: string): Promise<string> {
  const catalog = JSON.parse(await readFile(join(EXAMPLES, 'catalog.json'), 'utf8')) as { ranks: object[] };
  catalog.ranks.push({ name: 'Colonel' });
  await writeFile(file, JSON.stringify(catalog));
  return file;
}

test('the catalog is edited as one document', async ({ open, organisation }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`);
  const page = await open('/settings');
  await lookAt(page, 'settings-catalog');
  await page.getByRole('textbox', { name: 'Name of the role Officer' }).fill('Patrol Officer');
  await page.getByRole('button', { name: 'Remove Supervisor' }).click();
  await page.getByRole('button', { name: 'Save catalog' }).click();
  // In use: the sentence stands beside the entry, and in the message.
  await expect(
    page.getByRole('region', { name: 'Roles' }).getByText(/"Supervisor" cannot be removed/),
  ).toBeVisible();
  await lookAt(page, 'settings-catalog-in-use');
  await page.getByRole('button', { name: 'Keep Supervisor' }).click();
  await page.getByRole('button', { name: 'Add group' }).click();
  await page.getByRole('textbox', { name: 'External ID of the new group' }).fill('MARINE');
  await page.getByRole('button', { name: 'Save catalog' }).click();
  await expect(page.getByText('Saved.', { exact: true })).toBeVisible();
  const users = await organisation.users();
  expect(users.some((user) => user.includes(',Patrol Officer,'))).toBe(true);
  expect(users.some((user) => user.includes(',Officer,,'))).toBe(false);
  expect(await organisation.command('catalog', 'get')).toContain('MARINE');
});

test('unsaved changes are guarded, and what somebody else saved is not overwritten silently', async ({
  open,
  organisation,
}) => {
  const page = await open('/settings');
  await page.getByRole('textbox', { name: 'Phone region' }).fill('us');
  await page.getByRole('link', { name: 'Audit' }).click();
  const question = page.getByRole('dialog', { name: 'Leave without saving?' });
  await expect(question).toBeVisible();
  await question.getByRole('button', { name: 'Stay' }).click();
  await organisation.command(
    '--quiet',
    'catalog',
    'apply',
    await withRank(organisation.server.file('catalog.json')),
  );
  await page.getByRole('button', { name: 'Save catalog' }).click();
  await expect(page.getByText('The rank “Colonel” was added.')).toBeVisible();
  await lookAt(page, 'settings-catalog-conflict');
  expect(await organisation.command('catalog', 'get')).toContain('Colonel');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  await expect(page.getByRole('textbox', { name: 'Name of the rank Colonel' })).toBeVisible();
});

test('a mapping is shown in words, edited, renamed and deleted', async ({ open, organisation }) => {
  await organisation.command('--quiet', 'mapping', 'save', 'hr', join(EXAMPLES, 'hr-mapping.toml'));
  const page = await open('/settings?tab=mappings');
  await page.getByText('What it does').click();
  await expect(page.getByText('The file’s column “Surname” is read as LAST_NAME.')).toBeVisible();
  await lookAt(page, 'settings-mappings');
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('hr-weekly');
  await page.getByRole('textbox', { name: 'In the file' }).first().fill('State');
  await lookAt(page, 'settings-mapping-edit');
  await page.getByRole('button', { name: 'Save mapping' }).click();
  await expect(page.getByRole('heading', { name: 'hr-weekly' })).toBeVisible();
  const saved = await organisation.command('mapping', 'list');
  expect(saved).toContain('hr-weekly');
  expect(saved).not.toMatch(/^hr /m);
  expect(await organisation.command('mapping', 'get', 'hr-weekly')).toContain('State');
  await page.getByRole('button', { name: 'Delete hr-weekly' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No mapping is saved')).toBeVisible();
});

test('protected users are listed, and a protection is ended', async ({ open, organisation }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`);
  await organisation.command('--quiet', 'user', 'protect', 'P-1001');
  const page = await open('/settings?tab=protected');
  await expect(page.getByRole('link', { name: 'Dana Whitfield' })).toBeVisible();
  await lookAt(page, 'settings-protected');
  await page.getByRole('button', { name: 'End the protection of Dana Whitfield' }).click();
  await expect(page.getByText('Nobody is protected')).toBeVisible();
  await lookAt(page, 'settings-protected-empty');
});
