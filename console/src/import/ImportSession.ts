// One import of the console, from the choice of a file to its results. It lives beside the page: leaving the stepper stops
// nothing, and after a reload it goes on from what the tab's storage and the browser's database have kept.

import type { Problem } from '~/api/problem';
import { newId } from '~/shared/newId';

import { CorrectedRows } from './CorrectedRows';
import { EMPTY_DRAFT, loadDraft, saveDraft, type Draft, type RosterFile, type Step } from './draft';
import { FollowUpImport } from './FollowUpImport';
import { ImportRuns } from './ImportRuns';
import { kindOf } from './fileKinds';
import { Observable } from './Observable';
import type { OpenUploads } from './openUploads';
import type { ImportChoices, RosterOptions } from './options';
import type { RetryContext } from './retrying';
import type { RosterFiles } from './rosterFiles';
import { RosterInput } from './RosterInput';
import { RosterReader } from './RosterReader';
import { idleState, type SessionState } from './sessionState';
import type { ImportCalls } from './uploadRoster';

export interface SessionParts {
  readonly calls: ImportCalls;
  readonly files: RosterFiles;
  /** Who uses the page. What somebody else has begun is not gone on with. */
  readonly principal: string;
  readonly storage: Storage;
  readonly uploads: OpenUploads;
  /** Makes the SHA-256 of a file. */
  readonly digest: (file: File) => Promise<Uint8Array>;
  readonly wait?: RetryContext['wait'];
}

export class ImportSession {
  readonly state: Observable<SessionState>;
  readonly corrected: CorrectedRows;
  readonly followUp: FollowUpImport;
  readonly runs: ImportRuns;
  readonly input: RosterInput;
  readonly reader: RosterReader;
  /** False: the caller may not see the values of users. */
  canSeeValues = true;
  /** True: the user has signed out. Nothing more is kept. */
  private isEnded = false;
  /** Counts the files that were chosen or given up, so that what comes late is known. */
  private turn = 0;

  constructor(
    readonly organization: string,
    readonly parts: SessionParts,
  ) {
    this.state = new Observable(idleState(loadDraft(organization, parts.storage)));
    this.corrected = new CorrectedRows(this);
    this.followUp = new FollowUpImport(this);
    this.runs = new ImportRuns(this);
    this.input = new RosterInput(this);
    this.reader = new RosterReader(this);
    if (this.draft.file && this.draft.principal !== parts.principal) {
      this.forgetAnothers();
    } else if (this.draft.file) {
      void this.restore();
    }
  }

  get draft(): Draft {
    return this.state.get().draft;
  }

  /** Changes what is shown. */
  show(part: Partial<SessionState>): void {
    this.state.set({ ...this.state.get(), ...part });
  }

  /** Changes what outlives a reload. */
  keep(part: Partial<Draft>): void {
    if (this.isEnded) {
      return;
    }
    const draft = { ...this.draft, ...part };
    saveDraft(this.organization, draft, this.parts.storage);
    this.show({ draft });
  }

  /** Takes a file, and looks at it. Whatever was begun before is given up. */
  async choose(file: File): Promise<void> {
    const left = this.startOver();
    const isLate = this.givenUp();
    await left;
    if (isLate()) {
      return;
    }
    const { name, size } = file;
    const roster: RosterFile = { name, size, kind: kindOf(name) };
    const uploadId = newId();
    const { principal } = this.parts;
    this.keep({ ...EMPTY_DRAFT, principal, file: roster, uploadId });
    await this.input.keepCopy(uploadId, file);
    if (isLate()) {
      return;
    }
    await this.removeUploads(this.parts.uploads.takeAbandoned(this.organization));
    if (isLate()) {
      return;
    }
    this.input.take(file);
    await this.reader.inspect();
  }

  /** Takes the file again whose copy is gone. Returns false if it is another one. */
  chooseAgain(file: File): boolean {
    if (file.size !== this.draft.file?.size || file.name !== this.draft.file.name) {
      return false;
    }
    void this.input.keepCopy(this.draft.uploadId, file);
    this.input.take(file);
    this.goOn();
    return true;
  }

  setChoices(choices: Partial<ImportChoices>): void {
    this.keep({ choices: { ...this.draft.choices, ...choices } });
  }

  goTo(step: Step): void {
    this.keep({ step });
    if (step === 'review') {
      this.runs.beginReview();
    }
  }

  /** Gives up what was begun. An import that is being applied goes on without the page. */
  async startOver(): Promise<void> {
    const { file, uploadId, review, apply } = this.draft;
    this.turn++;
    this.stop();
    this.input.drop();
    this.state.set(idleState(EMPTY_DRAFT));
    saveDraft(this.organization, EMPTY_DRAFT, this.parts.storage);
    if (file) {
      await this.input.removeCopy(uploadId);
      const begun = apply ? [uploadId] : [uploadId, ...(review ? [review.importId] : [])];
      await this.removeUploads(begun);
    }
  }

  /** Waits until the server has the roster whole. Returns the ID of its upload. */
  async uploaded(isGone = false): Promise<string> {
    const { upload } = this.input;
    await (isGone ? upload?.again() : upload?.ready());
    return this.draft.uploadId;
  }

  rosterOptions(): RosterOptions {
    const { file, reading, mapping, choices } = this.draft;
    return {
      organization: this.organization,
      fileName: file?.name ?? '',
      kind: file?.kind ?? 'csv',
      reading,
      mapping,
      choices,
      canSeeValues: this.canSeeValues,
    };
  }

  context(signal: AbortSignal): RetryContext {
    const onTrouble = (trouble: Problem | undefined) => {
      if (this.state.get().trouble !== trouble) {
        this.show({ trouble });
      }
    };
    return { signal, onTrouble, ...(this.parts.wait && { wait: this.parts.wait }) };
  }

  /** Ends with the sign-in: nothing goes on in this page, and nothing more is kept. */
  end(): void {
    this.turn++;
    this.stop();
    this.input.drop();
    this.isEnded = true;
  }

  /** Another credential is used from now on: what was confirmed under the last one and has not begun is asked again. */
  signedInAnew(): void {
    const { running, draft } = this.state.get();
    this.runs.signedInAnew();
    if (running === 'follow-up') {
      this.followUp.askAgain();
    } else if (running === 'apply') {
      this.keep({ confirmedRows: null });
      if (!draft.apply?.isFinished) {
        this.runs.confirmAgain(SIGNED_IN);
      }
    }
  }

  /** Leaves what another person has begun in this tab; only its name is shown. */
  private forgetAnothers(): void {
    const { uploadId, principal } = this.draft;
    saveDraft(this.organization, EMPTY_DRAFT, this.parts.storage);
    this.state.set({ ...idleState(EMPTY_DRAFT), leftBy: principal });
    void this.input.removeCopy(uploadId);
  }

  /** Says from now on whether another file was chosen since, or this one was given up. */
  givenUp(): () => boolean {
    const { turn } = this;
    return () => this.isEnded || turn !== this.turn;
  }

  private async restore(): Promise<void> {
    const isLate = this.givenUp();
    this.show({ isRestoring: true });
    const file = await this.input.findCopy();
    if (isLate()) {
      return;
    }
    this.show({ isRestoring: false });
    if (file) {
      this.input.take(file);
    }
    this.goOn();
  }

  /** Goes on with what was under way. */
  private goOn(): void {
    const { step, apply } = this.draft;
    if (step === 'file' || step === 'columns') {
      void this.reader.inspect();
    } else if (step === 'review' || step === 'confirm') {
      // The server may judge again, so what is confirmed has to be seen again.
      this.keep({ step: 'review' });
      this.runs.beginReview();
    } else if (step === 'results' && apply) {
      this.runs.resumeApply();
    }
  }

  /** Stops what goes on in this page. What the server does goes on. */
  stop(): void {
    this.runs.stop();
    this.reader.stop();
    this.corrected.stop();
    this.followUp.stop();
    this.show({ running: 'nothing', trouble: undefined });
  }

  /** Removes uploads from the server. What is left behind expires by itself. */
  async removeUploads(importIds: readonly string[]): Promise<void> {
    const { organization } = this;
    const remove = (importId: string) => {
      this.parts.uploads.forget(importId);
      return this.parts.calls.cancelImport({ organization, importId });
    };
    await Promise.allSettled(importIds.map(remove));
  }
}

const SIGNED_IN =
  'You signed in again before this import had begun, so it was not confirmed any more. This is a new review with the same options.';
