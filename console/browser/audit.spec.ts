import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { EXAMPLES } from './support/organisation';

test('the trail says in words who did what, and is verified in the page', async ({ open, organisation }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`, '--source', 'today');
  const page = await open('/audit');
  await expect(page.getByRole('row', { name: /’s import .* completed: 12 created/ })).toBeVisible();
  await page.getByRole('button', { name: 'Verify' }).click();
  await expect(page.getByText('The trail is whole')).toBeVisible();
  const verified = await organisation.command('audit', 'verify');
  const head = /--expect (\S+)/.exec(verified)?.[1] ?? 'no head';
  await expect(page.getByText(head)).toBeVisible();
  await lookAt(page, 'audit');
  await page.getByRole('combobox', { name: 'What was done' }).click();
  await page.getByRole('option', { name: 'Import begun' }).click();
  await expect(page.getByText(/^1 event of the/)).toBeVisible();
  await page.getByRole('button', { name: /^Details of event/ }).click();
  await expect(page.getByRole('dialog').getByText('Plan digest')).toBeVisible();
  await lookAt(page, 'audit-event');
});

test('a trail that was changed on its way is found out', async ({ open, organisation, page }) => {
  await organisation.import(`${EXAMPLES}/roster-before.csv`);
  // Another letter in the name of who did it, in what the server answers.
  await page.route('**/userimport.v1.AuditService/ListAuditEvents', async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from(await answer.body());
    const at = body.indexOf(organisation.slug);
    body.writeUInt8(body.readUInt8(at) ^ 1, at);
    await route.fulfill({ response: answer, body });
  });
  await open('/audit');
  await page.getByRole('button', { name: 'Verify' }).click();
  await expect(page.getByText('The trail is broken')).toBeVisible();
  await expect(page.getByText(/Event 1 was altered/)).toBeVisible();
  await lookAt(page, 'audit-broken');
});
