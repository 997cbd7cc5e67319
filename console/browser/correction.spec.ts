import { expect, test } from './support/fixtures';
import { importExample } from './support/imports';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';
import { ImportWizard } from './support/wizard';

test('a faulty file is corrected in place, and imported with its corrections', async ({
  open,
  organisation,
}) => {
  test.setTimeout(180_000);
  await importExample(organisation);
  const wizard = new ImportWizard(await open('/import-users'));
  const { page } = wizard;
  await wizard.review(`${EXAMPLES}/roster.csv`);
  await expect(page.getByRole('tab', { name: 'Rejected (5)' })).toBeVisible();
  await page.getByRole('button', { name: 'Use “Officer” as ROLE in row 16' }).click();
  await expect(page.getByText('Corrected: would be created')).toBeVisible();

  await page.getByRole('button', { name: 'Correct row 17' }).click();
  const form = page.getByRole('form', { name: 'Correct row 17' });
  await expect(form.getByLabel('EMAIL', { exact: true })).toBeFocused();
  await form.getByLabel('EMAIL', { exact: true }).fill('ines.costa');
  await form.getByRole('button', { name: 'Judge again' }).click();
  await expect(page.getByText('Corrected, but still rejected')).toBeVisible();
  await lookAt(page, 'import-correction');
  await page.getByRole('button', { name: 'Correct further' }).last().click();
  await form.getByLabel('EMAIL', { exact: true }).fill('ines.costa@riverton.example');
  await form.getByRole('button', { name: 'Judge again' }).click();
  await expect(page.getByText('2 rows corrected, 2 would stand')).toBeVisible();

  await wizard.confirm('4 new, 7 changed, 1 deactivated');
  await wizard.expectComplete();
  await expect(page.getByText('2 rows imported on their own')).toBeVisible();
  await lookAt(page, 'import-results-corrected');
  const users = await organisation.users();
  expect(users.find((user) => user.startsWith('P-1016,'))).toContain('Officer');
  expect(users.find((user) => user.startsWith('P-1017,'))).toContain('ines.costa@riverton.example');
});
