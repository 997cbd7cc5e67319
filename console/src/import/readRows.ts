// Reads the values of rows of the file, as an import would judge them.

import type { UserRow } from '~/gen/userimport/v1/types_pb';

import type { ImportSession } from './ImportSession';
import { readingOptions } from './options';
import { retrying } from './retrying';
import { isUploadGone } from './uploadRoster';

/** Tells the values of each of the rows, which are in ascending order. A record that cannot be split has none. */
export async function readRows(
  session: ImportSession,
  rows: readonly number[],
  signal: AbortSignal,
  tell: (row: number, values: UserRow) => void,
): Promise<void> {
  const { calls } = session.parts;
  const options = session.rosterOptions();
  const asked = { organization: options.organization, ...readingOptions(options) };
  const context = session.context(signal);
  let importId = await session.uploaded();
  let left = rows;
  for (let isGone = false; left.length > 0;) {
    const request = { ...asked, importId, rows: [...left] };
    try {
      const answer = await retrying(() => calls.readRosterRows(request, { signal }), context);
      const last = answer.rows.at(-1)?.row;
      for (const { row, values } of answer.rows) {
        if (values) {
          tell(row, values);
        }
      }
      left = last === undefined ? [] : left.filter((row) => row > last);
    } catch (thrown) {
      // The upload expired, or the server had no room for it. The file is sent again, once.
      if (isGone || !isUploadGone(thrown)) {
        throw thrown;
      }
      isGone = true;
      importId = await session.uploaded(true);
    }
  }
}
