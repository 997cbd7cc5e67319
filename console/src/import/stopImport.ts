// Stops an import. The server can do so while it receives the file or writes users, but not while it judges the rows in
// between: until it can, it is asked again.

import { problemOf } from '~/api/problem';
import { ImportState } from '~/gen/userimport/v1/types_pb';

import { retrying, waitFor, type RetryContext } from './retrying';
import { isNotFound, type ImportCalls } from './uploadRoster';

const PAUSE = 300;

/**
 * Returns `true` if the import was stopped at once, and `false` if the server is going to stop it or `isRunning` says that
 * it has ended meanwhile.
 */
export async function stopImport(
  calls: Pick<ImportCalls, 'cancelImport'>,
  request: { readonly organization: string; readonly importId: string },
  context: RetryContext,
  isRunning: () => boolean,
): Promise<boolean> {
  const { signal, wait = waitFor } = context;
  while (isRunning()) {
    try {
      const { importRecord } = await retrying(() => calls.cancelImport(request, { signal }), context);
      return importRecord?.state === ImportState.CANCELLED;
    } catch (thrown) {
      if (!isRunning()) {
        return false;
      }
      if (!isTooEarly(thrown)) {
        throw thrown;
      }
    }
    await wait(PAUSE, signal);
  }
  return false;
}

/** True: the server does not know the import yet, or judges its rows. */
function isTooEarly(thrown: unknown): boolean {
  return isNotFound(thrown) || problemOf(thrown).reasons.includes('NOT_APPLYING');
}
