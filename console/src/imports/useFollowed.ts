import { useEffect, useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import type { ResultMessage } from '~/review/collectResults';
import { ResultStore } from '~/review/ResultStore';

import { followResults } from './followResults';

export interface Followed {
  readonly store: ResultStore;
  /** What keeps the stream from going on now; it is tried again. */
  readonly trouble: Problem | undefined;
  /** Why the stream ended, if it was refused or failed for good. */
  readonly problem: Problem | undefined;
  /** True: the summary is there, or none will come. */
  readonly hasEnded: boolean;
}

export interface Followable {
  /** Names what is followed; with another key it begins again. Undefined: nothing is followed yet. */
  readonly key: string | undefined;
  readonly open: (afterResult: number, signal: AbortSignal) => AsyncIterable<ResultMessage>;
  /** True: a stream that breaks begins again, since its results are not recorded. */
  readonly restarts?: boolean;
  /** True: an interrupted import goes on when the same is sent again. */
  readonly resumes?: boolean;
  /** Has the values of the same plan, which a record has not. */
  readonly reviewed?: ResultStore | undefined;
}

/** Follows a stream of results while the screen is shown. */
export function useFollowed({
  key,
  open,
  restarts = false,
  resumes = false,
  reviewed,
}: Followable): Followed {
  const [state, setState] = useState(() => begin(key, reviewed));
  if (state.key !== key) {
    setState(begin(key, reviewed));
  }
  useEffect(() => {
    if (key === undefined) {
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    const update = (part: Partial<Followed>) =>
      !signal.aborted && setState((now) => (now.key === key ? { ...now, ...part } : now));
    const follow = {
      store: new ResultStore(reviewed),
      signal,
      resumes,
      open: (after: number) => {
        if (restarts && after > 0) {
          follow.store = new ResultStore(reviewed);
          update({ store: follow.store });
          return open(0, signal);
        }
        return open(after, signal);
      },
      onTrouble: (trouble: Problem | undefined) => update({ trouble }),
    };
    update({ store: follow.store });
    followResults(follow)
      .then((problem) => update({ problem, hasEnded: true, trouble: undefined }))
      .catch((error: unknown) => update({ problem: problemOf(error), hasEnded: true, trouble: undefined }));
    return () => controller.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says what is followed
  }, [key]);
  return state;
}

function begin(
  key: string | undefined,
  reviewed: ResultStore | undefined,
): Followed & { key: string | undefined } {
  return { key, store: new ResultStore(reviewed), trouble: undefined, problem: undefined, hasEnded: false };
}
