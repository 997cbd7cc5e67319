// Sends corrected rows as an import of their own.

import { fromJson } from '@bufbuild/protobuf';

import { UserRowSchema } from '~/gen/userimport/v1/types_pb';
import { ResultStore } from '~/review/ResultStore';

import type { Correction } from './draft';
import type { ImportSession } from './ImportSession';
import { correctionOptions } from './options';
import { retrying } from './retrying';

export interface PushedAs {
  /** Empty: only judged. */
  readonly importId: string;
  /** The plan that is applied, and no other; undefined: any. */
  readonly planDigest?: Uint8Array;
  /** The rows whose results are wanted; undefined: all. */
  readonly wanted?: ReadonlySet<number>;
}

/** Applies the rows, or judges them. */
export async function pushRows(
  session: ImportSession,
  corrections: readonly Correction[],
  { importId, planDigest, wanted }: PushedAs,
  signal: AbortSignal,
): Promise<ResultStore> {
  const start = correctionOptions(session.rosterOptions(), importId, planDigest);
  const rows = corrections.map(({ values }) => fromJson(UserRowSchema, values));
  const push = () => session.parts.calls.pushUsers({ start, rows }, { signal });
  const { results, summary } = await retrying(push, session.context(signal));
  signal.throwIfAborted();
  const store = new ResultStore();
  // The rows keep their numbers in the file.
  const numbered = results.map((result) => ({ ...result, row: corrections[result.row - 1]?.row ?? 0 }));
  store.add(numbered.filter(({ row }) => wanted?.has(row) ?? true));
  store.update({ summary });
  return store;
}
