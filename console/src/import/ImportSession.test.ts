import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { beforeEach, expect, test, vi } from 'vitest';

import { ImportState, UserRowSchema } from '~/gen/userimport/v1/types_pb';

import { loadDraft } from './draft';
import { connectionLost, refusal, type FakeServer } from './fakeServer';
import type { ImportSession } from './ImportSession';
import { reviewed, roster, setUp } from './testSession';

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

const times = (server: FakeServer, kind: string) => server.called.filter((one) => one === kind).length;

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

test('the copy of a file with rejected rows is kept until the next file, for the file of these rows', async () => {
  const { server, session, kept, open } = setUp();
  await reviewed(session);
  const value = { state: ImportState.COMPLETED, rows: 3, created: 2, rejected: 1 };
  server.summaries.push({ case: 'summary', value });
  session.runs.apply('');
  await applied(session);
  await vi.waitFor(() => expect(times(server, 'cancelImport')).toBe(1));
  session.end();
  const again = open();
  await vi.waitFor(() => expect(again.state.get().results?.summary?.rows).toBe(3));
  expect(again.state.get().file?.name).toBe('roster.csv');
  expect(times(server, 'appendImport')).toBe(1);
  await again.startOver();
  expect(kept.size).toBe(0);
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
    () => session.reader.setReading({ charset: 'windows-1252' }),
    () => session.reader.setReading({ sheet: 'Staff' }),
    () => session.reader.setMapping({ skipLeadingLines: 1 }),
  ]) {
    await reviewed(session);
    session.corrected.set([{ row: 2, values: create(UserRowSchema, { externalId: 'P-2' }) }]);
    await vi.waitFor(() => expect(session.state.get().judged?.count).toBe(1));
    change();
    expect(session.draft.corrections).toEqual([]);
    expect(session.state.get().judged).toBeUndefined();
  }
});

test('after a reload on Confirm it is reviewed before it can be confirmed', async () => {
  const { session, open } = setUp();
  await reviewed(session);
  session.goTo('confirm');
  session.end();
  const again = open();
  await vi.waitFor(() => expect(again.state.get().review?.summary?.rows).toBe(3));
  expect(again.draft.step).toBe('review');
});

test('a file that is chosen while another one is still being kept takes its place', async () => {
  const { session, kept } = setUp();
  const first = session.choose(roster());
  const second = session.choose(Object.assign(roster(), { name: 'second.csv' }));
  await Promise.all([first, second]);
  expect(session.state.get().file?.name).toBe('second.csv');
  expect([...kept.keys()]).toEqual([session.draft.uploadId]);
});

test('a copy that is found after the file was given up is not taken', async () => {
  const { session, open } = setUp();
  await session.choose(roster());
  session.end();
  const again = open();
  await again.startOver();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(again.state.get().file).toBeUndefined();
  expect(again.input.upload).toBeUndefined();
});

test('after signing out nothing is sent or kept', async () => {
  const { session, server, kept } = setUp();
  const choosing = session.choose(roster());
  session.end();
  sessionStorage.clear();
  await choosing;
  await session.choose(roster());
  session.goTo('review');
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(sessionStorage).toHaveLength(0);
  expect(kept.size).toBe(0);
  expect(server.called).not.toContain('appendImport');
});

test('what somebody else has begun is not gone on with, and only their name is shown', async () => {
  const { session, open, kept, server } = setUp();
  await reviewed(session);
  session.goTo('confirm');
  session.end();
  const calls = server.called.length;
  const others = open('Ben');
  expect(others.state.get().leftBy).toBe('Ana');
  expect(others.draft).toMatchObject({ file: null, step: 'file', review: null });
  await vi.waitFor(() => expect(kept.size).toBe(0));
  expect(loadDraft('pd', sessionStorage).file).toBeNull();
  expect(server.called).toHaveLength(calls);
});

test('an upload of the credential used before is made again under a new ID', async () => {
  const { session, open, kept, server } = setUp();
  await session.choose(roster());
  const { uploadId } = session.draft;
  session.end();
  (server.before.beginImport ??= []).push(refusal(Code.PermissionDenied, 'OTHER_CREDENTIAL'));
  const again = open();
  again.goTo('options');
  await vi.waitFor(() => expect(again.draft.uploadId).not.toBe(uploadId));
  await vi.waitFor(() => expect([...kept.keys()]).toEqual([again.draft.uploadId]));
  again.goTo('review');
  await vi.waitFor(() => expect(again.state.get().review?.summary?.rows).toBe(3));
});

test('an import that has not begun is confirmed again after another sign-in', async () => {
  const { session, server } = setUp();
  await reviewed(session);
  (server.before.beginImport ??= []).push(...Array.from({ length: 50 }, () => connectionLost()));
  session.runs.apply('Confirm');
  await Promise.resolve();
  session.signedInAnew();
  expect(session.draft).toMatchObject({ step: 'review', apply: null });
  expect(session.draft.notice).toMatch(/signed in again/);
  session.stop();
});

test('an import that is stopped before it has begun is never begun', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  const uploads = [...server.uploads.keys()];
  session.runs.apply('');
  const { importId } = session.draft.apply ?? { importId: '' };
  await session.runs.cancel();
  expect(session.draft).toMatchObject({ step: 'review', apply: null });
  expect(session.draft.notice).toMatch(/stopped/);
  await vi.waitFor(() => expect(session.state.get().running).toBe('nothing'));
  expect(uploads).not.toContain(importId);
  expect(server.uploads.has(importId)).toBe(false);
});

test('an import that is stopped while it begins is not begun again', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  let stopped = Promise.resolve();
  // The server loses the roster that the import was to begin with, as its upload is removed.
  const shift = () => {
    delete server.before.beginImport;
    stopped = session.runs.cancel();
    return refusal(Code.FailedPrecondition, 'NOT_UPLOADING');
  };
  server.before.beginImport = Object.assign([], { shift });
  session.runs.apply('');
  const { importId } = session.draft.apply ?? { importId: '' };
  await vi.waitFor(() => expect(server.before.beginImport).toBeUndefined());
  await stopped;
  expect(session.draft).toMatchObject({ step: 'review', apply: null });
  await vi.waitFor(() => expect(session.state.get().running).toBe('nothing'));
  expect(server.uploads.has(importId)).toBe(false);
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
