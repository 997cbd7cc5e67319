import { Code } from '@connectrpc/connect';
import { create } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';

import { CancelImportResponseSchema } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';

import { connectionLost, refusal } from './fakeServer';
import type { RetryContext } from './retrying';
import { stopImport } from './stopImport';

const REQUEST = { organization: 'pd', importId: '0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10' };

function context(): RetryContext {
  return { signal: new AbortController().signal, onTrouble: vi.fn(), wait: () => Promise.resolve() };
}

/** A server that answers with these in turn. */
function answering(...answers: (Error | ImportState)[]) {
  const cancelImport = vi.fn(() => {
    const answer = answers.shift();
    return typeof answer === 'number'
      ? Promise.resolve(create(CancelImportResponseSchema, { importRecord: { state: answer } }))
      : Promise.reject(answer ?? new Error('There was one call too many.'));
  });
  return { cancelImport };
}

const running = (isRunning: () => boolean = () => true, isBeginning: () => boolean = () => false) => ({
  isRunning,
  isBeginning,
  hasFailed: () => false,
});

const tooEarly = () => refusal(Code.FailedPrecondition, 'NOT_APPLYING');

test('an import is stopped as soon as the server can', async () => {
  const calls = answering(connectionLost(), tooEarly(), tooEarly(), ImportState.APPLYING);
  expect(await stopImport(calls, REQUEST, context(), running())).toBe(false);
  expect(calls.cancelImport).toHaveBeenCalledTimes(4);
});

test('an import whose file is still being received is stopped at once', async () => {
  const calls = answering(ImportState.CANCELLED);
  expect(await stopImport(calls, REQUEST, context(), running())).toBe(true);
});

test('an import that is just beginning is asked about until the server knows it', async () => {
  const calls = answering(refusal(Code.NotFound, 'NOT_FOUND'), ImportState.CANCELLED);
  expect(
    await stopImport(
      calls,
      REQUEST,
      context(),
      running(undefined, () => true),
    ),
  ).toBe(true);
});

test('an import that the server does not know, and that is not begun any more, is stopped', async () => {
  const calls = answering(refusal(Code.NotFound, 'NOT_FOUND'));
  expect(await stopImport(calls, REQUEST, context(), running())).toBe(true);
});

test('an import that has written users before it stopped is not said to have left no trace', async () => {
  const importRecord = { state: ImportState.CANCELLED, created: 1 };
  const calls = { cancelImport: () => Promise.resolve(create(CancelImportResponseSchema, { importRecord })) };
  expect(await stopImport(calls, REQUEST, context(), running())).toBe(false);
});

test('an import that has ended meanwhile is not asked about again', async () => {
  const calls = answering(tooEarly());
  const isRunning = vi.fn(() => calls.cancelImport.mock.calls.length === 0);
  expect(await stopImport(calls, REQUEST, context(), running(isRunning))).toBe(false);
  expect(calls.cancelImport).toHaveBeenCalledTimes(1);
});

test('an import that has failed meanwhile is not asked about again', async () => {
  const calls = answering(tooEarly());
  const failed = { ...running(), hasFailed: () => true };
  expect(await stopImport(calls, REQUEST, context(), failed)).toBe(false);
});

test('a refusal of the server ends the attempt to stop', async () => {
  const calls = answering(refusal(Code.PermissionDenied, 'PERMISSION_DENIED'));
  await expect(stopImport(calls, REQUEST, context(), running())).rejects.toThrow('PERMISSION_DENIED');
});
