import { expect, test } from './support/fixtures';
import { lookAt } from './support/looks';
import { roster } from './support/rosters';

/** More users than one call compares, whose external IDs are in the order of their numbers. */
const SIZE = 21_000;

function person(number: number): Readonly<Record<string, string>> {
  const names: Record<number, string> = { 10: 'Early Bird', [SIZE]: 'Late Bird', [SIZE - 1]: 'Latest' };
  return {
    EXTERNAL_ID: `T-${String(number).padStart(6, '0')}`,
    ...(names[number] !== undefined && { LAST_NAME: names[number] }),
  };
}

test('a search that is not finished says so, and goes on when it is asked to', async ({
  open,
  organisation,
}) => {
  test.setTimeout(240_000);
  await organisation.import(roster(SIZE, person).trim().split('\n'));
  const page = await open('/users?text=bird');
  const names = page.getByRole('rowgroup').last().getByRole('link');
  const notice = page.getByRole('status').filter({ hasText: 'The search is not finished' });
  await expect(notice).toContainText('20,000 users were compared, and 1 user found on this page so far.');
  await expect(names).toHaveText(['Robin Early Bird']);
  await lookAt(page, 'users-search-not-finished');
  await notice.getByRole('button', { name: 'Search on' }).click();
  await expect(names).toHaveText(['Robin Early Bird', 'Robin Late Bird']);
  await expect(notice).toBeHidden();
  await expect(page.getByText('2 users', { exact: true })).toBeVisible();

  // Nothing found so far does not mean that there is nothing.
  const search = page.getByRole('textbox', { name: 'Search users' });
  await search.fill('latest');
  await expect(notice).toContainText('20,000 users were compared, and 0 users found on this page so far.');
  await expect(page.getByText('No user passes the filters')).toBeHidden();
  await notice.getByRole('button', { name: 'Search on' }).click();
  await expect(names).toHaveText(['Robin Latest']);

  await search.fill('nobody has this');
  await notice.getByRole('button', { name: 'Search on' }).click();
  await expect(page.getByText('No user passes the filters')).toBeVisible();
  await expect(notice).toBeHidden();
});
