// Follows the results of an import, a review, an approval or an undo to their end. A stream that breaks is taken up again
// after the results that are there, with a longer wait each time; the request has an ID, so that the server never takes
// it for another one.

import { Code, ConnectError } from '@connectrpc/connect';

import { problemOf, type Problem } from '~/api/problem';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { waitAfter, type RetryContext } from '~/import/retrying';
import { takeResult, type ResultMessage } from '~/review/collectResults';
import type { ResultStore } from '~/review/ResultStore';
import { token } from '~/session/token';

export interface Follow extends RetryContext {
  /** Takes the results; read again for each stream. */
  readonly store: ResultStore;
  /** Opens the stream after so many results. */
  readonly open: (afterResult: number) => AsyncIterable<ResultMessage>;
  /** True: an interrupted import goes on when the same is sent again. False: it is only watched. */
  readonly resumes?: boolean;
}

/**
 * Ends when the summary is there. Returns why the import was refused, if the stream ended so after its summary; throws
 * what the server said if it gives no summary.
 */
export async function followResults(follow: Follow): Promise<Problem | undefined> {
  const { open, signal, onTrouble, resumes = false } = follow;
  for (let attempt = 1; ; attempt++) {
    const sent = token();
    const before = follow.store.count;
    const stream = open(before);
    const { store } = follow;
    let end: unknown;
    try {
      for await (const message of stream) {
        onTrouble(undefined);
        takeResult(store, message);
      }
    } catch (thrown) {
      end = thrown;
    }
    signal.throwIfAborted();
    const problem = end === undefined ? undefined : problemOf(end);
    if (store.summary && !(resumes && goesOn(store.summary.state, problem))) {
      return problem;
    }
    store.update({ summary: undefined });
    await waitAfter(end ?? ENDED_EARLY, store.count > before ? 1 : attempt, sent, follow);
    if (store.count > before) {
      attempt = 0;
    }
  }
}

/** True: it was interrupted by something that passes. */
function goesOn(state: ImportState, problem: Problem | undefined): boolean {
  return state === ImportState.INTERRUPTED && (problem?.isTransient ?? true);
}

/** In place of an error, if a stream ends without a summary. */
const ENDED_EARLY = new ConnectError(
  'The import has not ended. It goes on where it stopped.',
  Code.Unavailable,
);

/**
 * Leaves out so many results at the beginning of a stream. Approvals and undos that are sent again send the recorded
 * results again, in the same order.
 */
export async function* skippingResults(
  stream: AsyncIterable<ResultMessage>,
  count: number,
): AsyncIterable<ResultMessage> {
  let skipped = 0;
  for await (const message of stream) {
    const { message: content } = message;
    if (content.case === 'results' && skipped < count) {
      const left = content.value.results.slice(count - skipped);
      skipped += content.value.results.length;
      content.value.results = left;
    }
    yield message;
  }
}
