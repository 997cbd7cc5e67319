// Tries a call again until it succeeds or has failed for good. Calls of an import may be sent again without harm: under
// the same ID the server goes on where it was.

import { Code } from '@connectrpc/connect';

import { problemOf, type Problem } from '~/api/problem';
import { onTokenChange, token } from '~/session/token';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

export interface RetryContext {
  readonly signal: AbortSignal;
  /** Told what keeps the call from succeeding, and with `undefined` that it has succeeded. */
  readonly onTrouble: (problem: Problem | undefined) => void;
  /** Waits; rejects if the signal is aborted meanwhile. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export async function retrying<T>(call: () => Promise<T>, context: RetryContext): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    context.signal.throwIfAborted();
    const sent = token();
    try {
      const answer = await call();
      context.onTrouble(undefined);
      return answer;
    } catch (thrown) {
      await waitAfter(thrown, attempt, sent, context);
    }
  }
}

/** Waits until another attempt makes sense after `thrown`, or throws it if none does. */
export async function waitAfter(
  thrown: unknown,
  attempt: number,
  sent: string | null,
  context: RetryContext,
): Promise<void> {
  const { signal, onTrouble, wait = waitFor } = context;
  signal.throwIfAborted();
  const problem = problemOf(thrown);
  if (problem.code === Code.Unauthenticated) {
    // The page asks for another sign-in over what is shown.
    onTrouble(problem);
    await anotherToken(sent, signal);
    return;
  }
  if (!problem.isTransient) {
    throw thrown;
  }
  onTrouble(problem);
  await wait(waitBefore(attempt, problem), signal);
}

/** Milliseconds to wait before the next attempt: what the server asks for, else longer each time, with jitter. */
export function waitBefore(attempt: number, { retryDelay }: Pick<Problem, 'retryDelay'>): number {
  const own = Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * (0.75 + Math.random() / 4);
  return Math.max(retryDelay ?? 0, own);
}

/** Waits, but no longer than until the computer is online again. */
export function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (action: () => void) => () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      window.removeEventListener('online', online);
      action();
    };
    const aborted = end(() => reject(signal.reason as Error));
    const online = end(resolve);
    const timer = setTimeout(online, milliseconds);
    signal.addEventListener('abort', aborted);
    window.addEventListener('online', online);
  });
}

function anotherToken(refused: string | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (token() !== refused) {
      resolve();
      return;
    }
    const end = onTokenChange(() => {
      end();
      resolve();
    });
    signal.addEventListener('abort', () => {
      end();
      reject(signal.reason as Error);
    });
  });
}
