import { Blob as NodeBlob } from 'node:buffer';

import { create } from '@bufbuild/protobuf';
import { beforeEach, expect, test, vi } from 'vitest';

import { ImportState, UserRowSchema } from '~/gen/userimport/v1/types_pb';

import { loadDraft } from './draft';
import { FakeServer } from './fakeServer';
import { ImportSession } from './ImportSession';
import { OpenUploads } from './openUploads';
import type { RosterFiles } from './rosterFiles';

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

function roster(): File {
  const file = new NodeBlob(['EXTERNAL_ID,EMAIL\nP-1,a\nP-2,b\nP-3,c\n']);
  return Object.assign(file, { name: 'roster.csv', lastModified: 0 }) as unknown as File;
}

function setUp(server = new FakeServer(), kept = new Map<string, File>()) {
  const files: RosterFiles = {
    keep: (id, file) => Promise.resolve(void kept.set(id, file)),
    find: (id) => Promise.resolve(kept.get(id)),
    remove: (id) => Promise.resolve(void kept.delete(id)),
  };
  const open = () =>
    new ImportSession('pd', {
      calls: server.calls,
      files,
      storage: sessionStorage,
      uploads: new OpenUploads(localStorage),
      digest: () => Promise.resolve(new Uint8Array(32)),
      wait: () => Promise.resolve(),
    });
  return { server, kept, open, session: open() };
}

const times = (server: FakeServer, kind: string) => server.called.filter((one) => one === kind).length;

async function reviewed(session: ImportSession): Promise<void> {
  await session.choose(roster());
  session.goTo('review');
  await vi.waitFor(() => expect(session.state.get().review?.summary?.rows).toBe(3));
  await vi.waitFor(() => expect(session.state.get().running).toBe('nothing'));
}

async function applied(session: ImportSession): Promise<void> {
  await vi.waitFor(() => expect(session.state.get().results?.summary?.rows).toBe(3));
  await vi.waitFor(() => expect(session.state.get().running).toBe('nothing'));
}

test('a file is sent once, reviewed twice and imported', async () => {
  const { server, session, kept } = setUp();
  await reviewed(session);
  session.setChoices({ allOrNothing: true });
  session.goTo('review');
  await vi.waitFor(() => expect(times(server, 'finishImport')).toBe(2));
  await vi.waitFor(() => expect(session.state.get().review?.summary?.rows).toBe(3));
  session.runs.apply('');
  await applied(session);
  expect(times(server, 'appendImport')).toBe(1);
  expect(session.draft.step).toBe('results');
  await vi.waitFor(() => expect(kept.size).toBe(0));
});

test('the same options are not reviewed twice', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  session.goTo('options');
  session.goTo('review');
  expect(times(server, 'finishImport')).toBe(1);
  expect(session.state.get().review?.summary?.rows).toBe(3);
});

test('after a reload a review is only watched, with the file and what was chosen', async () => {
  const { server, session, open } = setUp();
  await session.choose(roster());
  session.setChoices({ deactivateMissing: true });
  session.goTo('review');
  await vi.waitFor(() => expect(session.draft.review?.isFinished).toBe(true));
  session.stop();
  const again = open();
  await vi.waitFor(() => expect(again.state.get().review?.summary?.rows).toBe(3));
  expect(again.draft.choices.deactivateMissing).toBe(true);
  expect(again.state.get().file?.name).toBe('roster.csv');
  expect(times(server, 'finishImport')).toBe(1);
});

test('after a reload an import goes on under its own ID', async () => {
  const { session, open } = setUp();
  await reviewed(session);
  session.runs.apply('Confirm');
  const { apply } = session.draft;
  session.stop();
  const again = open();
  await applied(again);
  expect(again.draft.apply?.importId).toBe(apply?.importId);
  expect(again.draft.apply?.confirmation).toBe('Confirm');
});

test('if the directory has changed, nothing is imported, and it is reviewed again', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  const refusals = [{ code: 'PLAN_DIFFERS', message: 'It differs.' }];
  server.summaries.push({ case: 'summary', value: { state: ImportState.REFUSED, rows: 3, refusals } });
  session.runs.apply('');
  await vi.waitFor(() => expect(session.draft.notice).toMatch(/directory has changed/));
  await vi.waitFor(() => expect(session.state.get().review?.summary?.rows).toBe(3));
  expect(session.draft).toMatchObject({ step: 'review', apply: null });
});

test('corrected rows are judged at once, and imported after the file under one ID', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  session.corrected.set([{ row: 2, values: create(UserRowSchema, { externalId: 'P-2', role: 'Officer' }) }]);
  await vi.waitFor(() => expect(session.state.get().judged?.count).toBe(1));
  expect(session.state.get().judged?.row(0).row).toBe(2);
  expect(session.corrected.standing()).toBe(1);
  session.runs.apply('');
  await vi.waitFor(() => expect(session.draft.followUp?.isDone).toBe(true));
  expect(session.state.get().followUp?.row(0).row).toBe(2);
  expect(server.called.lastIndexOf('pushUsers')).toBeGreaterThan(server.called.lastIndexOf('watchImport'));
});

test('read in another way, a file has none of the corrections made before', async () => {
  const { session } = setUp();
  for (const change of [
    () => session.setReading({ charset: 'windows-1252' }),
    () => session.setReading({ sheet: 'Staff' }),
    () => session.setMapping({ skipLeadingLines: 1 }),
  ]) {
    await reviewed(session);
    session.corrected.set([{ row: 2, values: create(UserRowSchema, { externalId: 'P-2' }) }]);
    await vi.waitFor(() => expect(session.state.get().judged?.count).toBe(1));
    change();
    expect(session.draft.corrections).toEqual([]);
    expect(session.state.get().judged).toBeUndefined();
  }
});

test('starting over removes the file, the upload and what was chosen', async () => {
  const { server, session, kept } = setUp();
  await reviewed(session);
  const { uploadId } = session.draft;
  await session.startOver();
  expect(kept.size).toBe(0);
  expect(server.uploads.has(uploadId)).toBe(false);
  expect(loadDraft('pd', sessionStorage).file).toBeNull();
  expect(session.state.get().review).toBeUndefined();
});

test('a file whose copy is gone is asked for again, and another one is not taken', async () => {
  const { session, open, kept } = setUp();
  await session.choose(roster());
  session.stop();
  kept.clear();
  const again = open();
  await vi.waitFor(() => expect(again.state.get().isRestoring).toBe(false));
  const other = Object.assign(roster(), { name: 'other.csv' });
  expect(again.chooseAgain(other)).toBe(false);
  expect(again.chooseAgain(roster())).toBe(true);
  expect(again.state.get().file?.name).toBe('roster.csv');
});

test('a draft of another version, or a broken one, is not read', () => {
  sessionStorage.setItem('user-import.import.pd', '{"version":0,"step":"results"}');
  expect(loadDraft('pd', sessionStorage).step).toBe('file');
  sessionStorage.setItem('user-import.import.pd', '{');
  expect(loadDraft('pd', sessionStorage).step).toBe('file');
});
