// The words of the button that applies what was reviewed.

/** What an import or an undo is about to do. */
export interface PlannedCounts {
  readonly created: number;
  readonly updated: number;
  /** Users who become Inactive, by a row or because they are not listed. */
  readonly deactivated: number;
}

/** "Import: 12 new, 340 changed, 3 deactivated". */
export function confirmLabel(verb: string, counts: PlannedCounts, corrected?: PlannedCounts): string {
  const more = corrected ? inWords(corrected) : '';
  const also = more === '' ? '' : `; of the rows you corrected: ${more}`;
  return `${verb}: ${inWords(counts) || 'no changes'}${also}`;
}

function inWords({ created, updated, deactivated }: PlannedCounts): string {
  const say = (count: number, word: string) =>
    count > 0 ? [`${count.toLocaleString('en-GB')} ${word}`] : [];
  return [...say(created, 'new'), ...say(updated, 'changed'), ...say(deactivated, 'deactivated')].join(', ');
}

/** Who become Inactive, by the import itself or by the rows that were corrected. */
export function deactivatedIn(counts: PlannedCounts, corrected?: PlannedCounts): number {
  return counts.deactivated + (corrected?.deactivated ?? 0);
}

/** The word that has to be typed before users are deactivated. The server asks for the same. */
export const CONFIRMATION = 'Confirm';
