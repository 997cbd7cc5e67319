import type { ImportSession } from './ImportSession';
import type { SessionState } from './sessionState';

/** What each step is given. */
export interface StepProps {
  readonly session: ImportSession;
  readonly state: SessionState;
}
