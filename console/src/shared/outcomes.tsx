// Icon, word and colour of what became of a row, and of the state of an import. A colour never stands alone.

import { Tooltip } from '@mantine/core';
import {
  IconArrowBackUp,
  IconCheck,
  IconCircleDashed,
  IconCircleMinus,
  IconEqual,
  IconLoader,
  IconPencil,
  IconPlayerPause,
  IconPlus,
  IconQuestionMark,
  IconUserOff,
  IconUserQuestion,
  IconX,
  type Icon,
} from '@tabler/icons-react';

import { ImportState, RowOutcome } from '~/gen/userimport/v1/types_pb';

import styles from './outcomes.module.css';
import { plural } from './time';

export type Tone = 'positive' | 'change' | 'neutral' | 'warning' | 'negative';

/** How something is shown: a word with an icon and a colour. */
export interface Look {
  readonly label: string;
  readonly icon: Icon;
  readonly tone: Tone;
}

const UNKNOWN: Look = { label: 'Unknown', icon: IconQuestionMark, tone: 'neutral' };

export const OUTCOME_LOOKS: Readonly<Record<RowOutcome, Look>> = {
  [RowOutcome.UNSPECIFIED]: UNKNOWN,
  [RowOutcome.CREATED]: { label: 'Created', icon: IconPlus, tone: 'positive' },
  [RowOutcome.UPDATED]: { label: 'Updated', icon: IconPencil, tone: 'change' },
  [RowOutcome.UNCHANGED]: { label: 'Unchanged', icon: IconEqual, tone: 'neutral' },
  [RowOutcome.REJECTED]: { label: 'Rejected', icon: IconX, tone: 'negative' },
};

/** A user who is made Inactive because the file does not list them. */
export const DEACTIVATED_LOOK: Look = { label: 'Deactivated', icon: IconUserOff, tone: 'warning' };

export const STATE_LOOKS: Readonly<Record<ImportState, Look>> = {
  [ImportState.UNSPECIFIED]: UNKNOWN,
  [ImportState.RECEIVING]: { label: 'Receiving', icon: IconCircleDashed, tone: 'change' },
  [ImportState.APPLYING]: { label: 'Importing', icon: IconLoader, tone: 'change' },
  [ImportState.COMPLETED]: { label: 'Completed', icon: IconCheck, tone: 'positive' },
  [ImportState.REFUSED]: { label: 'Refused', icon: IconX, tone: 'negative' },
  [ImportState.INTERRUPTED]: { label: 'Interrupted', icon: IconPlayerPause, tone: 'warning' },
  [ImportState.CANCELLED]: { label: 'Cancelled', icon: IconCircleMinus, tone: 'neutral' },
  [ImportState.HELD]: { label: 'Needs review', icon: IconUserQuestion, tone: 'warning' },
};

/** A finished dry run, which wrote nothing. */
export const REVIEWED_LOOK: Look = { label: 'Review only', icon: IconCheck, tone: 'neutral' };

/** An import whose changes another one has reversed. */
export const UNDONE_LOOK: Look = { label: 'Undone', icon: IconArrowBackUp, tone: 'neutral' };

/** A look as a badge; `count` goes before the word. */
export function LookBadge({ look, count }: { readonly look: Look; readonly count?: number | undefined }) {
  const { icon: LookIcon, label, tone } = look;
  return (
    <span className={`${styles.badge} ${styles[tone]}`}>
      <LookIcon size={14} stroke={2} aria-hidden className={styles.icon} />
      {count === undefined ? label : `${count.toLocaleString('en-GB')} ${label.toLowerCase()}`}
    </span>
  );
}

export function OutcomeBadge({ outcome }: { readonly outcome: RowOutcome }) {
  return <LookBadge look={OUTCOME_LOOKS[outcome]} />;
}

interface StateBadgeProps {
  readonly state: ImportState;
  /** True: a dry run. */
  readonly validateOnly?: boolean;
  /** True: another import has reversed it. */
  readonly undone?: boolean;
}

export function StateBadge({ state, validateOnly = false, undone = false }: StateBadgeProps) {
  if (undone) {
    return <LookBadge look={UNDONE_LOOK} />;
  }
  return (
    <LookBadge look={validateOnly && state === ImportState.COMPLETED ? REVIEWED_LOOK : STATE_LOOKS[state]} />
  );
}

/** How many rows had each outcome; `deactivated` users are not listed in the file, so they are no rows. */
export interface OutcomeCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly deactivated?: number | undefined;
}

/** The counts that are not 0, in the order in which they are always shown. */
export function shownCounts(counts: OutcomeCounts): { look: Look; count: number }[] {
  return [
    { look: OUTCOME_LOOKS[RowOutcome.CREATED], count: counts.created },
    { look: OUTCOME_LOOKS[RowOutcome.UPDATED], count: counts.updated },
    { look: OUTCOME_LOOKS[RowOutcome.UNCHANGED], count: counts.unchanged },
    { look: OUTCOME_LOOKS[RowOutcome.REJECTED], count: counts.rejected },
    { look: DEACTIVATED_LOOK, count: counts.deactivated ?? 0 },
  ].filter(({ count }) => count > 0);
}

/** "12 created, 3 rejected"; "no rows" if there are none. */
export function countsInWords(counts: OutcomeCounts): string {
  const words = shownCounts(counts).map(
    ({ look, count }) => `${count.toLocaleString('en-GB')} ${look.label.toLowerCase()}`,
  );
  return words.join(', ') || plural(0, 'row');
}

/** The shares of the outcomes as a bar; the counts are its label and stand in a tooltip. */
export function OutcomeBar({ counts }: { readonly counts: OutcomeCounts }) {
  const words = countsInWords(counts);
  return (
    <Tooltip label={words}>
      <div className={styles.bar} role="img" aria-label={words}>
        {shownCounts(counts).map(({ look, count }) => (
          <span
            key={look.label}
            className={`${styles.segment} ${styles[look.tone]}`}
            style={{ flexGrow: count }}
          />
        ))}
      </div>
    </Tooltip>
  );
}

/** The class that gives a text the colour of a tone. */
export function toneText(tone: Tone): string {
  return `${styles.text} ${styles[tone]}`;
}
