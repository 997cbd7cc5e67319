import { DEACTIVATED_LOOK, OUTCOME_LOOKS, toneText, type Look } from '~/shared/outcomes';
import { RowOutcome } from '~/gen/userimport/v1/types_pb';

import styles from './review.module.css';

/** The counts of a summary or of an import's record. */
export interface ImportCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly deactivated: number;
  readonly protectedSkipped: number;
}

/** How many rows have each outcome, and how many users are deactivated because they are not listed. */
export function SummaryCounts({ counts }: { readonly counts: ImportCounts }) {
  const shown: [Look, number, string?][] = [
    [OUTCOME_LOOKS[RowOutcome.CREATED], counts.created],
    [OUTCOME_LOOKS[RowOutcome.UPDATED], counts.updated],
    [OUTCOME_LOOKS[RowOutcome.UNCHANGED], counts.unchanged],
    [OUTCOME_LOOKS[RowOutcome.REJECTED], counts.rejected],
    [DEACTIVATED_LOOK, counts.deactivated, 'Deactivated, not listed'],
  ];
  return (
    <dl className={styles.counts}>
      {shown.map(([{ label, icon: CountIcon, tone }, count, words]) => (
        <div key={label} className={styles.count}>
          <dt className={count > 0 ? toneText(tone) : ''}>
            <CountIcon size={14} aria-hidden />
            {words ?? label}
          </dt>
          <dd>{count.toLocaleString('en-GB')}</dd>
        </div>
      ))}
    </dl>
  );
}
