// How the file is read: what the server says of it, and what a person has corrected of that.

import type { JsonObject } from '@bufbuild/protobuf';

import { problemOf } from '~/api/problem';

import type { ImportSession } from './ImportSession';
import { inspectFile, needsColumns } from './inspectFile';
import type { Reading } from './options';
import { NO_INSPECTION } from './sessionState';

export class RosterReader {
  private work = new AbortController();

  constructor(private readonly session: ImportSession) {}

  /** Asks the server what the file is, as it is to be read now. */
  async inspect(): Promise<void> {
    const { session } = this;
    const { file, inspection } = session.state.get();
    const { upload } = session.input;
    if (!file || !upload) {
      return;
    }
    this.stop();
    this.work = new AbortController();
    const { signal } = this.work;
    session.show({ inspection: { ...inspection, isPending: true, problem: undefined } });
    try {
      const response = await inspectFile(session.parts.calls, session.rosterOptions(), {
        file,
        upload,
        uploadId: () => session.draft.uploadId,
        context: session.context(signal),
      });
      signal.throwIfAborted();
      session.show({ inspection: { isPending: false, response, problem: undefined } });
      if (session.draft.mapping === null) {
        session.keep({ hasColumnsStep: needsColumns(response) });
      }
    } catch (thrown) {
      if (!signal.aborted) {
        session.show({ inspection: { ...NO_INSPECTION, problem: problemOf(thrown) } });
      }
    }
  }

  setReading(reading: Partial<Reading>): void {
    // The mapping is made from what was read before.
    this.readAnew({ reading: { ...this.session.draft.reading, ...reading }, mapping: null });
  }

  setMapping(mapping: JsonObject | null): void {
    this.readAnew({ mapping });
  }

  stop(): void {
    this.work.abort();
  }

  /** Read in another way, a row's number may stand for another person, so the corrections are forgotten. */
  private readAnew(how: { readonly reading?: Reading; readonly mapping: JsonObject | null }): void {
    const { session } = this;
    session.corrected.stop();
    session.keep({ ...how, corrections: [] });
    session.show({ judged: undefined, judgingProblem: undefined, isJudging: false });
    void this.inspect();
  }
}
