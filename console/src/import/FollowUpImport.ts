// The import of the corrected rows, after that of the file. What they would do is judged once more on what the file has
// left behind. Only if that is what was confirmed are they written; else the user is asked again.

import { problemOf } from '~/api/problem';
import { newId } from '~/shared/newId';

import { fromHex, toHex } from './bytes';
import type { ImportSession } from './ImportSession';
import { pushRows } from './pushRows';
import { keepsTo, planOf } from './rowsPlan';

export class FollowUpImport {
  private work = new AbortController();

  constructor(private readonly session: ImportSession) {}

  /** Stops what goes on in this page. */
  stop(): void {
    this.work.abort(new Error('This was stopped.'));
  }

  /** Applies the corrected rows as confirmed. Called again after a reload it goes on under the same ID. */
  async apply(): Promise<void> {
    const { session } = this;
    if (session.draft.corrections.length > 0) {
      await this.run(async (signal) => {
        const begun = session.draft.followUp ?? (await this.begin(signal));
        if (begun) {
          const { importId, planDigest } = begun;
          const pushed = { importId, planDigest: fromHex(planDigest) };
          const store = await pushRows(session, session.draft.corrections, pushed, signal);
          session.keep({ followUp: { ...begun, isDone: true } });
          session.show({ followUp: store });
        }
      });
    }
  }

  /** Judges the corrected rows again, for another question. Nothing is written. */
  async judgeAgain(): Promise<void> {
    await this.run(async (signal) => {
      const { corrections } = this.session.draft;
      const rejudged = await pushRows(this.session, corrections, { importId: '' }, signal);
      this.session.show({ rejudged });
    });
  }

  /** Takes what was judged again as confirmed, and applies it. */
  async confirm(): Promise<void> {
    const { rejudged } = this.session.state.get();
    if (rejudged) {
      this.session.keep({ confirmedRows: planOf(rejudged), followUp: null });
      await this.apply();
    }
  }

  /** Asks again before anything more is written. */
  askAgain(): void {
    this.stop();
    this.session.keep({ followUp: null, confirmedRows: null });
    this.session.show({ rejudged: undefined, followUpDiffers: true, running: 'nothing' });
  }

  /** Returns nothing if the rows would do something else than was confirmed. */
  private async begin(signal: AbortSignal) {
    const { session } = this;
    const { corrections, confirmedRows } = session.draft;
    const planned = await pushRows(session, corrections, { importId: '' }, signal);
    const digest = planned.summary?.planDigest ?? new Uint8Array();
    if (!confirmedRows || digest.length === 0 || !keepsTo(confirmedRows, planned)) {
      session.show({ followUpDiffers: true });
      return undefined;
    }
    const followUp = { importId: newId(), planDigest: toHex(digest), isDone: false };
    session.keep({ followUp });
    return followUp;
  }

  private async run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { session } = this;
    this.stop();
    this.work = new AbortController();
    const { signal } = this.work;
    session.show({
      running: 'follow-up',
      followUpProblem: undefined,
      followUpDiffers: false,
      rejudged: undefined,
    });
    try {
      await work(signal);
      session.show({ running: 'nothing' });
    } catch (thrown) {
      if (signal.aborted) {
        return;
      }
      const problem = problemOf(thrown);
      if (problem.reasons.includes('PLAN_DIFFERS')) {
        this.askAgain();
      } else {
        session.show({ running: 'nothing', followUpProblem: problem });
      }
    }
  }
}
