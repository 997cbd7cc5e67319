// Imports that the tests of several screens begin with.

import { EXAMPLES, type Organisation } from './organisation';
import { HEADER, line, roster } from './rosters';

/** Yesterday's roster of the examples, imported. */
export async function importExample(organisation: Organisation): Promise<void> {
  await organisation.import(`${EXAMPLES}/roster-before.csv`);
}

/** An import that would deactivate most users, and is held for that: they are not in its `lines`. */
export async function holdImport(
  organisation: Organisation,
  lines: readonly string[] = [HEADER, line(1, { LAST_NAME: 'Changed' }), line(31)],
): Promise<void> {
  await organisation.import(roster(30).trim().split('\n'));
  const options = ['--deactivate-missing', '--confirm', 'Confirm', '--hold', '--source', 'nightly roster'];
  await organisation.import(lines, ...options);
}
