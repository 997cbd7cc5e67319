import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test, vi } from 'vitest';

import { RetryInfoSchema } from '~/gen/google/rpc/error_details_pb';
import { WatchImportResponseSchema, type WatchImportResponse } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { ResultStore } from '~/review/ResultStore';

import { followResults, skippingResults } from './followResults';

const results = (...rows: number[]) =>
  create(WatchImportResponseSchema, {
    message: { case: 'results', value: { results: rows.map((row) => ({ row })) } },
  });
const summary = (state: ImportState) =>
  create(WatchImportResponseSchema, { message: { case: 'summary', value: { state } } });

/** Streams that send these messages, and throw an error that is among them. */
function streams(...parts: readonly (readonly (WatchImportResponse | Error)[])[]) {
  const left = [...parts];
  const asked: number[] = [];
  const open = async function* (after: number) {
    asked.push(after);
    for (const message of left.shift() ?? []) {
      if (message instanceof Error) {
        throw message;
      }
      yield await Promise.resolve(message);
    }
  };
  return { open, asked };
}

function follow(open: (after: number) => AsyncIterable<WatchImportResponse>, resumes = false) {
  const store = new ResultStore();
  const wait = vi.fn(() => Promise.resolve());
  const onTrouble = vi.fn();
  const signal = new AbortController().signal;
  return { store, wait, onTrouble, end: followResults({ store, open, resumes, signal, wait, onTrouble }) };
}

const LOST = new ConnectError('gone', Code.Unavailable);

test('a broken stream is taken up after the results that are there', async () => {
  const { open, asked } = streams(
    [results(1, 2), LOST],
    [LOST],
    [results(3), summary(ImportState.COMPLETED)],
  );
  const { store, wait, end } = follow(open);
  expect(await end).toBeUndefined();
  expect(asked).toEqual([0, 2, 2]);
  expect(store.count).toBe(3);
  expect(wait).toHaveBeenCalledTimes(2);
});

test('a stream that ends without a summary is taken up again', async () => {
  const { open, asked } = streams([results(1)], [summary(ImportState.COMPLETED)]);
  await follow(open).end;
  expect(asked).toEqual([0, 1]);
});

test('a refusal after the summary is returned, and one without a summary is thrown', async () => {
  const refused = new ConnectError('Too many.', Code.FailedPrecondition);
  expect(await follow(streams([summary(ImportState.REFUSED), refused]).open).end).toMatchObject({
    message: 'Too many.',
  });
  await expect(follow(streams([refused]).open).end).rejects.toThrow('Too many.');
});

test('an approval that is interrupted goes on, and a watched import that is interrupted has ended', async () => {
  const stopped = new ConnectError('down', Code.Unavailable, undefined, [
    { desc: RetryInfoSchema, value: { retryDelay: { seconds: 1n } } },
  ]);
  const part = [results(1), summary(ImportState.INTERRUPTED), stopped];
  const again = streams(part, [results(2), summary(ImportState.COMPLETED)]);
  const approved = follow(again.open, true);
  await approved.end;
  expect(approved.store.summary?.state).toBe(ImportState.COMPLETED);
  const watched = follow(streams(part).open);
  await watched.end;
  expect(watched.store.summary?.state).toBe(ImportState.INTERRUPTED);
});

test('results that are there already are left out of a stream that begins again', async () => {
  const { open } = streams([results(1, 2), results(3, 4), summary(ImportState.COMPLETED)]);
  const rows: number[] = [];
  for await (const { message } of skippingResults(open(0), 3)) {
    if (message.case === 'results') {
      rows.push(...message.value.results.map(({ row }) => row));
    }
  }
  expect(rows).toEqual([4]);
});
