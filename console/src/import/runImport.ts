// Runs one import, or one dry run, from its first call to its summary: BeginImport, the parts, FinishImport, WatchImport.
// It may be begun again at any point with the same import ID, after a reload or a restart of the server, and goes on.

import { Code, ConnectError } from '@connectrpc/connect';

import { isLost } from '~/api/problem';
import type { ImportStart, ImportSummary } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { takeResult } from '~/review/collectResults';
import type { ResultStore } from '~/review/ResultStore';
import { token } from '~/session/token';

import { retrying, waitAfter, type RetryContext } from './retrying';
import {
  isAnothers,
  isNotFound,
  isUploadGone,
  sendParts,
  type ImportCalls,
  type PartsToSend,
  type RosterKind,
} from './uploadRoster';

export interface RosterToImport {
  readonly file: Blob | undefined;
  readonly size: number;
  readonly kind: RosterKind;
  /** The digest of the file, as soon as it is made. */
  readonly sha256: () => Promise<Uint8Array>;
  /** Another open upload of the same file, whose bytes the server takes over. Empty: none. */
  readonly uploadId: string;
}

export interface ImportRun {
  readonly importId: string;
  readonly start: ImportStart;
  readonly roster: RosterToImport;
  /** True: the server has received the roster whole, so watching is enough unless it has stopped. */
  isFinished: boolean;
  /** Takes the results. Called again if a dry run begins again: its rows are judged afresh. */
  readonly newStore: () => ResultStore;
  /** False: it was stopped, or the person who confirmed it may have left meanwhile, so it is not begun. */
  readonly mayBegin?: () => boolean;
  /** Called before and after the calls that begin it. */
  readonly onBeginning?: (isBeginning: boolean) => void;
  readonly onSent?: PartsToSend['onSent'];
  /** Called when the roster has been received whole. */
  readonly onFinished?: () => void;
}

/** What is to be done next: begin and send the roster, end the upload once more, or watch. */
type NextCall = 'begin' | 'finish' | 'watch';

/**
 * Returns the summary of the import, also if it was refused or cancelled.
 *
 * Throws what the server said if it refuses the import without a summary, such as for faults of the header.
 */
export async function runImport(
  calls: ImportCalls,
  run: ImportRun,
  context: RetryContext,
): Promise<ImportSummary> {
  let store = run.newStore();
  let next: NextCall = run.isFinished ? 'watch' : 'begin';
  for (let attempt = 1; ; attempt++) {
    await deliver(calls, run, next, context);
    const sent = token();
    const before = store.count;
    let end: unknown;
    try {
      await watch(calls, run, store, context);
      end = new ConnectError(
        'The import has been interrupted. It goes on where it stopped.',
        Code.Unavailable,
      );
    } catch (thrown) {
      end = thrown;
    }
    const { summary } = store;
    if (summary && isFinal(summary)) {
      return summary;
    }
    next = summary ? 'finish' : nextAfter(end);
    if (next === 'begin' && run.mayBegin?.() === false) {
      throw end;
    }
    if (next !== 'begin') {
      await waitAfter(end, attempt, sent, context);
    }
    if (store.count > before) {
      // It moves on: the next wait is short again.
      attempt = 0;
    }
    if (next !== 'watch' && run.start.validateOnly) {
      store = run.newStore();
    } else {
      store.update({ summary: undefined });
    }
  }
}

/** Which call goes on with an import whose watching ended so. */
function nextAfter(end: unknown): NextCall {
  if (isNotFound(end)) {
    return 'begin';
  }
  // What the server says has details. Without them the connection is lost, and the import may go on meanwhile.
  const error = ConnectError.from(end);
  const isFromServer = error.details.length > 0;
  return !isFromServer && (isLost(error) || error.code === Code.Unauthenticated) ? 'watch' : 'finish';
}

/** Makes sure that the server has the roster whole, and runs the import. */
async function deliver(
  calls: ImportCalls,
  run: ImportRun,
  next: NextCall,
  context: RetryContext,
): Promise<void> {
  if (next === 'watch') {
    return;
  }
  // FinishImport alone goes on with an interrupted import, unless its upload is gone.
  if (next === 'begin' || !(await finish(calls, run, context, true))) {
    await sendRoster(calls, run, context);
  }
  run.isFinished = true;
  run.onFinished?.();
}

async function watch(
  calls: ImportCalls,
  { importId, start: { organization } }: ImportRun,
  store: ResultStore,
  { signal, onTrouble }: RetryContext,
): Promise<void> {
  const request = { organization, importId, afterResult: store.count };
  for await (const message of calls.watchImport(request, { signal })) {
    onTrouble(undefined);
    takeResult(store, message);
  }
}

/** Begins the import, sends what the server does not have, and ends the upload. */
async function sendRoster(calls: ImportCalls, run: ImportRun, context: RetryContext): Promise<void> {
  const { importId, start, roster } = run;
  for (let tries = 1; ; tries++) {
    try {
      const begun = await begin(calls, run, context);
      const parts: PartsToSend = {
        organization: start.organization,
        importId,
        file: roster.file,
        size: roster.size,
        kind: roster.kind,
        from: Number(begun.nextOffset),
        ...(run.onSent && { onSent: run.onSent }),
      };
      await sendParts(calls, parts, context);
      await finish(calls, run, context, false);
      return;
    } catch (thrown) {
      // The upload expired meanwhile, or an attempt whose answer was lost has finished it.
      if (tries > 3 || isAnothers(thrown) || !isUploadGone(thrown)) {
        throw thrown;
      }
      if (await finish(calls, run, context, true)) {
        return;
      }
    }
  }
}

async function begin(calls: ImportCalls, run: ImportRun, context: RetryContext) {
  const { importId, start, roster } = run;
  const own = { start: { ...start, importId } };
  if (roster.uploadId !== '') {
    try {
      return await callBegin(calls, run, { ...own, rosterOf: roster.uploadId }, context);
    } catch (thrown) {
      // That upload expired. The roster is sent again.
      if (!isUploadGone(thrown)) {
        throw thrown;
      }
    }
  }
  return callBegin(calls, run, own, context);
}

async function callBegin(
  calls: ImportCalls,
  { mayBegin, onBeginning }: ImportRun,
  request: Parameters<ImportCalls['beginImport']>[0],
  context: RetryContext,
) {
  const call = () => {
    if (mayBegin?.() === false) {
      throw new ConnectError('The import was stopped before it began.', Code.Canceled);
    }
    return calls.beginImport(request, { signal: context.signal });
  };
  onBeginning?.(true);
  try {
    return await retrying(call, context);
  } finally {
    onBeginning?.(false);
  }
}

/** Returns false if there is no upload to finish, which is an error unless it `mayBeGone`. */
async function finish(
  calls: ImportCalls,
  { importId, start: { organization }, roster }: ImportRun,
  context: RetryContext,
  mayBeGone: boolean,
): Promise<boolean> {
  const sha256 = await roster.sha256();
  const byteCount = BigInt(roster.size);
  const request = { organization, importId, finish: { byteCount, sha256 } };
  try {
    await retrying(() => calls.finishImport(request, { signal: context.signal }), context);
    return true;
  } catch (thrown) {
    if (mayBeGone && isUploadGone(thrown)) {
      return false;
    }
    throw thrown;
  }
}

function isFinal({ state, refusals }: ImportSummary): boolean {
  // An interrupted import with a reason, such as another import that has begun since, cannot go on.
  return state !== ImportState.INTERRUPTED || refusals.length > 0;
}
