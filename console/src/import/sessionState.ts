// What the stepper shows: the draft, and what goes on just now.

import type { Problem } from '~/api/problem';
import type { InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';
import type { ResultStore } from '~/review/ResultStore';

import type { Draft } from './draft';

export interface Inspection {
  readonly isPending: boolean;
  /** The last answer. */
  readonly response: InspectRosterResponse | undefined;
  readonly problem: Problem | undefined;
}

export interface SessionState {
  readonly draft: Draft;
  /** Who began an import in this tab that was left, as somebody else has signed in; empty: nobody. */
  readonly leftBy: string;
  /** True: the copy of the file is looked for, after a reload. */
  readonly isRestoring: boolean;
  readonly file: File | undefined;
  readonly inspection: Inspection;
  /** Bytes of the file that the server has. */
  readonly sent: number;
  /** What keeps a call from succeeding, which is tried again. */
  readonly trouble: Problem | undefined;
  /** What the server is doing for this import. */
  readonly running: 'nothing' | 'review' | 'apply' | 'follow-up';
  /** How the review or the import failed without a summary. */
  readonly problem: Problem | undefined;
  readonly review: ResultStore | undefined;
  readonly results: ResultStore | undefined;
  /** The corrected rows as they were judged, by their numbers in the file. */
  readonly judged: ResultStore | undefined;
  readonly judgingProblem: Problem | undefined;
  readonly isJudging: boolean;
  /** What became of the corrected rows. */
  readonly followUp: ResultStore | undefined;
  readonly followUpProblem: Problem | undefined;
  /** True: after the file the corrected rows would do something else than was confirmed. Nothing of them was written. */
  readonly followUpDiffers: boolean;
  /** What the corrected rows would do after the file, judged for another question. */
  readonly rejudged: ResultStore | undefined;
}

export const NO_INSPECTION: Inspection = { isPending: false, response: undefined, problem: undefined };

export function idleState(draft: Draft): SessionState {
  return {
    draft,
    leftBy: '',
    isRestoring: false,
    file: undefined,
    inspection: NO_INSPECTION,
    sent: 0,
    trouble: undefined,
    running: 'nothing',
    problem: undefined,
    review: undefined,
    results: undefined,
    judged: undefined,
    judgingProblem: undefined,
    isJudging: false,
    followUp: undefined,
    followUpProblem: undefined,
    followUpDiffers: false,
    rejudged: undefined,
  };
}
