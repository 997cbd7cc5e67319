import { Blob as NodeBlob } from 'node:buffer';

import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { expect, test, vi } from 'vitest';

import { ImportStartSchema } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { ResultStore } from '~/review/ResultStore';

import { connectionLost, FakeServer, refusal } from './fakeServer';
import { runImport, type ImportRun } from './runImport';
import { waitBefore, type RetryContext } from './retrying';
import { PART_BYTES } from './uploadRoster';

const ID = '0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a10';

/** A file of more than two parts. */
function roster(rows: number): Blob {
  const lines = Array.from({ length: rows }, (_, row) => `P-${row},${'x'.repeat(1000)}`);
  // The Blob of jsdom cannot be read in slices.
  return new NodeBlob([['EXTERNAL_ID,EMAIL', ...lines, ''].join('\n')]) as unknown as Blob;
}

function setUp({ rows = 2500, validateOnly = false }: { rows?: number; validateOnly?: boolean } = {}) {
  const server = new FakeServer();
  const stores: ResultStore[] = [];
  const file = roster(rows);
  const run: ImportRun = {
    importId: ID,
    start: create(ImportStartSchema, { organization: 'pd', validateOnly }),
    roster: {
      file,
      size: file.size,
      kind: 'csv',
      uploadId: '',
      sha256: () => Promise.resolve(new Uint8Array(32)),
    },
    isFinished: false,
    newStore: () => {
      const store = new ResultStore();
      stores.push(store);
      return store;
    },
  };
  const controller = new AbortController();
  const onTrouble = vi.fn();
  const context: RetryContext = { signal: controller.signal, onTrouble, wait: () => Promise.resolve() };
  return { server, run, context, controller, onTrouble, stores, file };
}

const times = (server: FakeServer, kind: string) => server.called.filter((one) => one === kind).length;

test('a file goes up in parts of 1 MiB, and all rows come back', async () => {
  const { server, run, context, stores, file } = setUp();
  const sent: number[] = [];
  const summary = await runImport(server.calls, { ...run, onSent: (bytes) => sent.push(bytes) }, context);
  expect(summary.created).toBe(2500);
  expect(sent).toEqual([0, PART_BYTES, 2 * PART_BYTES, file.size]);
  expect(stores.map((store) => store.count)).toEqual([2500]);
});

test('a part whose answer was lost is sent again without harm', async () => {
  const { server, run, context, onTrouble } = setUp();
  server.after.appendImport = [undefined, connectionLost(), connectionLost()];
  server.before.beginImport = [connectionLost()];
  const summary = await runImport(server.calls, run, context);
  expect(summary.rows).toBe(2500);
  expect(onTrouble.mock.calls.filter(([problem]) => problem !== undefined).length).toBe(3);
});

test('an upload that has some of the file already is filled from there', async () => {
  const { server, run, context, file } = setUp();
  await server.calls.beginImport({ start: { importId: ID } });
  const first = new Uint8Array(await file.slice(0, PART_BYTES + 7).arrayBuffer());
  await server.calls.appendImport({ importId: ID, content: { case: 'csvChunk', value: first }, offset: 0n });
  await runImport(server.calls, run, context);
  expect(server.uploads.get(ID)?.bytes.length).toBe(file.size);
  expect(times(server, 'appendImport')).toBe(3);
});

test('the bytes of another upload are taken over; if it is gone, the file is sent', async () => {
  const other = '0192f0c1-2b1e-7c3a-9d55-0c6f2b6b3a11';
  const { server, run, context } = setUp();
  await runImport(server.calls, { ...run, importId: other }, context);
  server.called.length = 0;
  const again = { ...run, roster: { ...run.roster, uploadId: other } };
  expect((await runImport(server.calls, again, context)).rows).toBe(2500);
  expect(server.called).toEqual(['beginImport', 'finishImport', 'watchImport']);
  server.uploads.clear();
  expect((await runImport(server.calls, again, context)).rows).toBe(2500);
  expect(times(server, 'appendImport')).toBe(3);
});

test('where the server expects another offset, the upload goes on there', async () => {
  const { server, run, context, file } = setUp();
  server.before.appendImport = [
    undefined,
    refusal(Code.FailedPrecondition, 'OFFSET_DIFFERS', { expected_offset: '0' }),
  ];
  await runImport(server.calls, run, context);
  expect(server.uploads.get(ID)?.bytes.length).toBe(file.size);
});

test('an upload that expired meanwhile is begun again', async () => {
  const { server, run, context } = setUp();
  const append = server.calls.appendImport;
  let parts = 0;
  const calls = {
    ...server.calls,
    appendImport: (...call: Parameters<typeof append>) => {
      if (++parts === 2) {
        server.uploads.delete(ID);
      }
      return append(...call);
    },
  };
  const summary = await runImport(calls, run, context);
  expect(summary.rows).toBe(2500);
  expect(times(server, 'beginImport')).toBe(2);
});

test('a watch that breaks goes on after the results that came, without ending the upload again', async () => {
  const { server, run, context, stores } = setUp();
  server.watchBreaks.push({ after: 1000, error: connectionLost() }, { after: 700, error: connectionLost() });
  await runImport(server.calls, run, context);
  expect(stores.map((store) => store.count)).toEqual([2500]);
  expect(times(server, 'finishImport')).toBe(1);
  expect(times(server, 'watchImport')).toBe(3);
});

test('an import whose server died goes on by ending the upload again', async () => {
  const { server, run, context, stores } = setUp();
  server.watchBreaks.push({ after: 1000, error: refusal(Code.Unavailable, 'SERVER_DIED') });
  await runImport(server.calls, run, context);
  expect(stores.map((store) => store.count)).toEqual([2500]);
  expect(times(server, 'finishImport')).toBe(2);
  expect(times(server, 'appendImport')).toBe(3);
});

test('a review whose server died is judged afresh', async () => {
  const { server, run, context, stores } = setUp({ validateOnly: true });
  server.watchBreaks.push({ after: 1000, error: refusal(Code.Unavailable, 'SERVER_DIED') });
  await runImport(server.calls, run, context);
  expect(stores.map((store) => store.count)).toEqual([1000, 2500]);
});

test('an interrupted import goes on; one that was overtaken ends', async () => {
  const interrupted = (refusals: { code: string }[]) =>
    ({ case: 'summary', value: { state: ImportState.INTERRUPTED, refusals } }) as const;
  const { server, run, context } = setUp();
  server.summaries.push(interrupted([]));
  expect((await runImport(server.calls, run, context)).state).toBe(ImportState.COMPLETED);
  const other = setUp();
  other.server.summaries.push(interrupted([{ code: 'OVERTAKEN' }]));
  const summary = await runImport(other.server.calls, other.run, other.context);
  expect(summary.state).toBe(ImportState.INTERRUPTED);
});

test('after a reload a finished upload is only watched, and sent again if it is gone', async () => {
  const { server, run, context } = setUp();
  await runImport(server.calls, run, context);
  server.called.length = 0;
  await runImport(server.calls, { ...run, isFinished: true }, context);
  expect(server.called).toEqual(['watchImport']);
  server.uploads.clear();
  const summary = await runImport(server.calls, { ...run, isFinished: true }, context);
  expect(summary.rows).toBe(2500);
});

test('what the server refuses for good is thrown, and stopping stops', async () => {
  const { server, run, context, controller } = setUp();
  server.before.finishImport = [refusal(Code.InvalidArgument, 'NO_HEADER')];
  await expect(runImport(server.calls, run, context)).rejects.toThrow('NO_HEADER');
  server.before.finishImport = [connectionLost()];
  const wait = () => {
    controller.abort(new Error('stopped'));
    return Promise.resolve();
  };
  const waiting = { ...context, wait };
  await expect(runImport(server.calls, run, waiting)).rejects.toThrow('stopped');
});

test('waits grow to ten seconds, and are at least what the server asks for', () => {
  expect(waitBefore(1, { retryDelay: undefined })).toBeLessThanOrEqual(500);
  expect(waitBefore(20, { retryDelay: undefined })).toBeGreaterThan(7000);
  expect(waitBefore(20, { retryDelay: undefined })).toBeLessThanOrEqual(10_000);
  expect(waitBefore(1, { retryDelay: 4000 })).toBe(4000);
});

test('an import that the server has lost is not begun again if it may not', async () => {
  const { server, run, context } = setUp({ rows: 10 });
  const running = runImport(server.calls, { ...run, isFinished: true, mayBegin: () => false }, context);
  await expect(running).rejects.toMatchObject({ code: Code.NotFound });
  expect(server.called).not.toContain('beginImport');
});
