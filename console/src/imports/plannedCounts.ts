import type { ResultStore } from '~/review/ResultStore';
import type { PlannedCounts } from '~/review/confirmWords';

/** What the button that applies a plan names. A change of status whose values are not shown counts as a deactivation. */
export function plannedCounts(store: ResultStore): PlannedCounts {
  const { created = 0, updated = 0 } = store.summary ?? {};
  const byRow = store.deactivatedByRow + store.unknownStatusChanges;
  return { created, updated, deactivated: byRow + store.deactivated.length };
}
