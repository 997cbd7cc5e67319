import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { beforeEach, expect, test, vi } from 'vitest';

import { ImportSummarySchema } from '~/gen/userimport/v1/import_service_pb';
import { ColumnChangeSchema, RowOutcome, RowResultSchema } from '~/gen/userimport/v1/types_pb';
import { confirmLabel, deactivatedIn } from '~/review/confirmWords';
import { ResultStore } from '~/review/ResultStore';

import { refusal, type FakeServer } from './fakeServer';
import type { ImportSession } from './ImportSession';
import { countsOf, keepsTo, planOf } from './rowsPlan';
import { correctedRow2, reviewed, setUp } from './testSession';

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

const inactive = (goingInactive: number) => ({
  results: [{ row: 1, outcome: RowOutcome.UPDATED, changes: [{ column: 'STATUS' }] }],
  summary: { goingInactive, planDigest: new Uint8Array([7]) },
});

async function corrected(session: ImportSession): Promise<void> {
  await reviewed(session);
  session.corrected.set([correctedRow2()]);
  await vi.waitFor(() => expect(session.corrected.isJudged()).toBe(true));
}

const applied = (server: FakeServer) => server.pushed.filter(({ validateOnly }) => !validateOnly);

test('the corrected rows are judged once more after the file, and just that plan is imported', async () => {
  const { server, session } = setUp();
  await corrected(session);
  session.runs.apply('');
  await vi.waitFor(() => expect(session.draft.followUp?.isDone).toBe(true));
  expect(server.pushed.at(-2)?.validateOnly).toBe(true);
  expect(applied(server).map(({ expectedPlanDigest }) => [...expectedPlanDigest])).toEqual([[7]]);
});

test('corrected rows that would deactivate more users than confirmed are not imported, but asked about', async () => {
  const { server, session } = setUp();
  await corrected(session);
  server.pushAnswers.push(inactive(1));
  session.runs.apply('');
  await vi.waitFor(() => expect(session.state.get().followUpDiffers).toBe(true));
  expect(applied(server)).toEqual([]);
  server.pushAnswers.push(inactive(1), inactive(1), inactive(1));
  await session.followUp.judgeAgain();
  const { rejudged } = session.state.get();
  expect(rejudged && countsOf(planOf(rejudged))).toEqual({ created: 0, updated: 1, deactivated: 1 });
  expect(applied(server)).toEqual([]);
  await session.followUp.confirm();
  expect(session.draft.followUp?.isDone).toBe(true);
  expect(applied(server)).toHaveLength(1);
});

test('a plan that changes in between is refused by the server, and asked about', async () => {
  const { server, session } = setUp();
  await corrected(session);
  (server.before.pushUsers ??= []).push(undefined, refusal(Code.FailedPrecondition, 'PLAN_DIFFERS'));
  session.runs.apply('');
  await vi.waitFor(() => expect(session.state.get().followUpDiffers).toBe(true));
  expect(session.draft.followUp).toBeNull();
});

test('there is nothing to confirm before all corrected rows are judged', async () => {
  const { server, session } = setUp();
  await reviewed(session);
  (server.before.pushUsers ??= []).push(refusal(Code.InvalidArgument, 'BAD'));
  session.corrected.set([correctedRow2()]);
  expect(session.corrected.isJudged()).toBe(false);
  await vi.waitFor(() => expect(session.state.get().judgingProblem).toBeDefined());
  expect(session.corrected.isJudged()).toBe(false);
  session.runs.apply('');
  expect(session.draft.apply).toBeNull();
  await session.corrected.judge();
  expect(session.corrected.isJudged()).toBe(true);
});

test('a plan keeps to what was confirmed if rows, outcomes and deactivations are the same or fewer', () => {
  const judged = (outcome: RowOutcome, goingInactive: number) => {
    const store = new ResultStore();
    const row = { row: 2, outcome, line: 0, externalId: '', userId: '', issues: [] };
    const changes = [create(ColumnChangeSchema, { column: 'STATUS' })];
    store.add([create(RowResultSchema, { ...row, changes })]);
    store.update({ summary: create(ImportSummarySchema, { goingInactive }) });
    return store;
  };
  const confirmed = planOf(judged(RowOutcome.UPDATED, 3));
  expect(confirmed.goingInactive).toBe(1);
  expect(keepsTo(confirmed, judged(RowOutcome.UPDATED, 0))).toBe(true);
  expect(keepsTo(confirmed, judged(RowOutcome.UPDATED, 2))).toBe(false);
  expect(keepsTo(confirmed, judged(RowOutcome.CREATED, 0))).toBe(false);
  expect(keepsTo({ rows: [], goingInactive: 0 }, judged(RowOutcome.UPDATED, 0))).toBe(false);
});

test('the button names what the corrected rows do, and they count for the question', () => {
  const none = { created: 0, updated: 0, deactivated: 0 };
  const one = { created: 1, updated: 0, deactivated: 1 };
  expect(confirmLabel('Import', { ...none, updated: 4 }, one)).toBe(
    'Import: 4 changed; of the rows you corrected: 1 new, 1 deactivated',
  );
  expect(confirmLabel('Import', none, none)).toBe('Import: no changes');
  expect(deactivatedIn(none, one)).toBe(1);
});
