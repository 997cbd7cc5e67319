// Stops an import. The server can do so while it receives the file or writes users, but not while it judges the rows in
// between: until it can, it is asked again.

import { problemOf } from '~/api/problem';
import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { hasWritten } from '~/review/stoppedWords';

import { retrying, waitFor, type RetryContext } from './retrying';
import { isNotFound, type ImportCalls } from './uploadRoster';

const PAUSE = 300;

/** What this page is doing for the import. */
export interface RunningImport {
  /** False: it has ended meanwhile. */
  readonly isRunning: () => boolean;
  /** True: the call that begins it is on its way, so the server may soon know it. */
  readonly isBeginning: () => boolean;
  /** True: a call has failed for good, so this page does no more for it. */
  readonly hasFailed: () => boolean;
}

/**
 * Returns `true` if nothing of the import was or will be written, and `false` if the server is going to stop it, or it has
 * ended meanwhile.
 */
export async function stopImport(
  calls: Pick<ImportCalls, 'cancelImport'>,
  request: { readonly organization: string; readonly importId: string },
  context: RetryContext,
  { isRunning, isBeginning, hasFailed }: RunningImport,
): Promise<boolean> {
  const { signal, wait = waitFor } = context;
  while (isRunning()) {
    // Asked before the call: the import may begin while the server answers that it does not know it.
    const mayBegin = isBeginning();
    try {
      const { importRecord } = await retrying(() => calls.cancelImport(request, { signal }), context);
      return importRecord !== undefined && isWithoutTrace(importRecord);
    } catch (thrown) {
      if (isNotFound(thrown) && !mayBegin) {
        return true;
      }
      if (!isRunning() || (hasFailed() && !isNotFound(thrown))) {
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

function isWithoutTrace(record: Import): boolean {
  return record.state === ImportState.CANCELLED && !hasWritten(record);
}

/** True: the server does not know the import yet, or judges its rows. */
function isTooEarly(thrown: unknown): boolean {
  return isNotFound(thrown) || problemOf(thrown).reasons.includes('NOT_APPLYING');
}
