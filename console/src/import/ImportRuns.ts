// The runs of an import on the server: its reviews, and the import itself.

import { toJsonString } from '@bufbuild/protobuf';

import { problemOf, type Problem } from '~/api/problem';
import {
  ImportStartSchema,
  type ImportStart,
  type ImportSummary,
} from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { collectResults } from '~/review/collectResults';
import { ResultStore } from '~/review/ResultStore';
import { newId } from '~/shared/newId';

import { fromHex, toHex } from './bytes';
import type { ImportSession } from './ImportSession';
import { applyOptions, reviewOptions } from './options';
import { planOf } from './rowsPlan';
import { runImport, type RosterToImport } from './runImport';
import { stopImport } from './stopImport';
import { saysAnothers } from './uploadRoster';

export class ImportRuns {
  private work = new AbortController();
  /** False: the import was stopped, or another credential is used than when it was confirmed. */
  private mayBegin = true;
  /** True: a call that begins the import is on its way. */
  private isBeginning = false;
  /** The attempt to stop the import, and how the import failed meanwhile. */
  private stopping: { failure?: unknown } | undefined;

  constructor(private readonly session: ImportSession) {}

  /** Stops watching. What the server does goes on. */
  stop(): void {
    this.work.abort(new Error('This was stopped.'));
  }

  /** Reviews, unless that has been done with these options. */
  beginReview(): void {
    const start = reviewOptions(this.session.rosterOptions());
    const options = toJsonString(ImportStartSchema, start);
    const { review } = this.session.draft;
    if (review?.options !== options) {
      if (review && this.session.state.get().running === 'review') {
        void this.session.removeUploads([review.importId]);
      }
      this.session.stop();
      this.session.keep({ review: { importId: newId(), isFinished: false, options } });
      this.session.show({ review: undefined, problem: undefined });
    } else if (this.session.state.get().running === 'review' || this.session.state.get().review?.summary) {
      return;
    }
    void this.review(start);
  }

  /** Reviews once more: the directory may have changed. */
  reviewAgain(notice = ''): void {
    const { review } = this.session.draft;
    if (review && this.session.state.get().running === 'review') {
      void this.session.removeUploads([review.importId]);
    }
    this.session.stop();
    this.session.keep({
      step: 'review',
      review: null,
      apply: null,
      followUp: null,
      confirmedRows: null,
      notice,
    });
    this.session.show({ results: undefined, problem: undefined });
    this.beginReview();
  }

  /** Applies the plan that was reviewed. */
  apply(confirmation: string): void {
    const digest = this.session.state.get().review?.summary?.planDigest;
    if (!digest || !this.session.corrected.isJudged()) {
      return;
    }
    this.mayBegin = true;
    const importId = newId();
    const apply = { importId, isFinished: false, planDigest: toHex(digest), confirmation };
    const { judged } = this.session.state.get();
    const confirmedRows = judged ? planOf(judged) : null;
    this.session.keep({ step: 'results', apply, confirmedRows, followUp: null, notice: '' });
    void this.runApply();
  }

  /** From now on what was confirmed is only gone on with. */
  signedInAnew(): void {
    this.mayBegin = false;
  }

  /** What was confirmed is not applied: it is reviewed and confirmed again. */
  confirmAgain(notice: string): void {
    this.reviewAgain(notice);
  }

  /** Stops the import that is being applied, as soon as the server can: between two transactions. */
  async cancel(): Promise<void> {
    const { organization, parts } = this.session;
    const { apply } = this.session.draft;
    if (!apply) {
      return;
    }
    const { importId } = apply;
    const stopping: { failure?: unknown } = {};
    this.stopping = stopping;
    this.mayBegin = false;
    try {
      const stopped = await stopImport(
        parts.calls,
        { organization, importId },
        this.session.context(this.work.signal),
        {
          isRunning: () => this.isApplying(importId),
          isBeginning: () => this.isBeginning,
          hasFailed: () => 'failure' in stopping,
        },
      );
      // The upload was removed before its import began: there is nothing to watch.
      if (stopped && this.isApplying(importId) && !this.session.draft.apply?.isFinished) {
        this.confirmAgain(STOPPED);
      }
    } catch (thrown) {
      this.mayBegin = true;
      throw thrown;
    } finally {
      this.stopping = undefined;
      if ('failure' in stopping && this.isApplying(importId)) {
        this.fail(stopping.failure);
      }
    }
  }

  private fail(thrown: unknown): void {
    this.session.show({ running: 'nothing', trouble: undefined, problem: problemOf(thrown) });
  }

  private isApplying(importId: string): boolean {
    const { running, draft } = this.session.state.get();
    return running === 'apply' && draft.apply?.importId === importId;
  }

  private async review(start: ImportStart): Promise<void> {
    const { review } = this.session.draft;
    if (!review) {
      return;
    }
    const summary = await this.run('review', start, review, {
      newStore: () => {
        const store = new ResultStore();
        this.session.show({ review: store });
        return store;
      },
      onFinished: () => this.session.keep({ review: { ...review, isFinished: true } }),
    });
    const { problem } = this.session.state.get();
    if (summary) {
      await this.session.corrected.begin();
    } else if (problem && saysAnothers(problem)) {
      // It was begun with the credential used before.
      this.reviewAgain();
    }
  }

  private async runApply(): Promise<void> {
    const { apply } = this.session.draft;
    if (!apply) {
      return;
    }
    const start = applyOptions(this.session.rosterOptions(), fromHex(apply.planDigest), apply.confirmation);
    const summary = await this.run('apply', start, apply, {
      newStore: () => {
        const store = new ResultStore(this.session.state.get().review);
        this.session.show({ results: store });
        return store;
      },
      onFinished: () => this.session.keep({ apply: { ...apply, isFinished: true } }),
    });
    if (isChangedPlan(summary, this.session.state.get().problem)) {
      this.confirmAgain(CHANGED);
    } else if (summary?.state === ImportState.COMPLETED) {
      await this.session.followUp.apply();
      const { organization, parts, draft } = this.session;
      await this.session.removeUploads([draft.uploadId]);
      if (summary.rejected === 0) {
        await this.session.input.removeCopy(draft.uploadId);
      } else {
        // As long as this tab is alive, its copy of the file is kept for the file of rejected rows.
        parts.uploads.note(organization, draft.uploadId);
      }
    }
  }

  /** Runs a review or an import to its end. Returns nothing if it failed, or was stopped. */
  private async run(
    running: 'review' | 'apply',
    start: ImportStart,
    begun: { readonly importId: string; readonly isFinished: boolean },
    hooks: { newStore: () => ResultStore; onFinished: () => void },
  ): Promise<ImportSummary | undefined> {
    this.work.abort();
    this.work = new AbortController();
    const { signal } = this.work;
    this.session.show({ running, problem: undefined, trouble: undefined });
    try {
      const hasUpload = begun.isFinished || (await this.session.input.upload?.ready());
      const roster = this.roster(hasUpload ? this.session.draft.uploadId : '');
      const onSent = (sent: number) => this.session.show({ sent });
      // After another sign-in what was confirmed goes on where it is, but is not begun again.
      const mayBegin = () => start.validateOnly || this.mayBegin;
      const onBeginning = (isBeginning: boolean) => {
        this.isBeginning = isBeginning;
      };
      const run = { ...begun, start, roster, onSent, mayBegin, onBeginning, ...hooks };
      const summary = await runImport(this.session.parts.calls, run, this.session.context(signal));
      this.session.show({ running: 'nothing', trouble: undefined });
      return summary;
    } catch (thrown) {
      if (signal.aborted) {
        return undefined;
      }
      if (running === 'apply' && this.stopping) {
        // What stops it says how it ended.
        this.stopping.failure = thrown;
      } else {
        this.fail(thrown);
      }
      return undefined;
    }
  }

  private roster(uploadId: string): RosterToImport {
    const { file, sha256 } = this.session.draft;
    return {
      file: this.session.state.get().file,
      size: file?.size ?? 0,
      kind: file?.kind ?? 'csv',
      uploadId,
      sha256: () => this.session.input.upload?.sha256() ?? Promise.resolve(fromHex(sha256)),
    };
  }

  /** Goes on with an import after a reload. Its review has the values that a record does not. */
  resumeApply(): void {
    const { review } = this.session.draft;
    const store = new ResultStore();
    if (review?.isFinished) {
      this.session.show({ review: store });
    }
    void this.runApply();
    if (review?.isFinished) {
      void this.recallReview(review.importId, store);
    }
  }

  private async recallReview(importId: string, store: ResultStore): Promise<void> {
    const { organization, parts } = this.session;
    const { signal } = this.work;
    try {
      await collectResults(parts.calls.watchImport({ organization, importId }, { signal }), store);
    } catch {
      // The server has forgotten it: the results are shown without values.
    }
  }
}

const CHANGED =
  'The directory has changed since you reviewed this import, so nothing was written. This is a new review with the same options.';

const STOPPED =
  'You stopped this import before it had begun, so nothing was written. This is a new review with the same options.';

function isChangedPlan(summary: ImportSummary | undefined, problem: Problem | undefined): boolean {
  const codes = summary?.refusals.map(({ code }) => code) ?? problem?.reasons ?? [];
  return codes.includes('PLAN_DIFFERS');
}
