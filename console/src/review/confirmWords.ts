// The words of the button that applies what was reviewed.

/** What an import or an undo is about to do. */
export interface PlannedCounts {
  readonly created: number;
  readonly updated: number;
  /** Users who become Inactive, by a row or because they are not listed. */
  readonly deactivated: number;
}

/** "Import: 12 new, 340 changed, 3 deactivated". */
export function confirmLabel(verb: string, { created, updated, deactivated }: PlannedCounts): string {
  const say = (count: number, word: string) =>
    count > 0 ? [`${count.toLocaleString('en-GB')} ${word}`] : [];
  const parts = [...say(created, 'new'), ...say(updated, 'changed'), ...say(deactivated, 'deactivated')];
  return `${verb}: ${parts.join(', ') || 'no changes'}`;
}

/** The word that has to be typed before users are deactivated. The server asks for the same. */
export const CONFIRMATION = 'Confirm';
