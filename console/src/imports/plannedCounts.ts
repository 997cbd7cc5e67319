import type { ResultStore } from '~/review/ResultStore';
import type { PlannedCounts } from '~/review/confirmWords';

/** What the button that applies a plan names. */
export function plannedCounts(store: ResultStore): PlannedCounts {
  const { created = 0, updated = 0, goingInactive = 0 } = store.summary ?? {};
  return { created, updated, deactivated: goingInactive };
}
