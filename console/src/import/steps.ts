// The steps of an import, in their order.

import type { Draft, Step } from './draft';

export const STEPS: readonly { readonly step: Step; readonly label: string }[] = [
  { step: 'file', label: 'File' },
  { step: 'columns', label: 'Columns' },
  { step: 'options', label: 'Options' },
  { step: 'review', label: 'Review' },
  { step: 'confirm', label: 'Confirm' },
  { step: 'results', label: 'Results' },
];

export type StepState = 'done' | 'current' | 'later' | 'skipped';

/** The state of a step, seen from the one that is shown. */
export function stateOf(step: Step, { step: current, hasColumnsStep }: Draft): StepState {
  if (step === current) {
    return 'current';
  }
  const at = (one: Step) => STEPS.findIndex((each) => each.step === one);
  if (at(step) > at(current)) {
    return 'later';
  }
  return step === 'columns' && !hasColumnsStep ? 'skipped' : 'done';
}

/** The step before Options and after File. */
export function afterFile({ hasColumnsStep }: Draft): Step {
  return hasColumnsStep ? 'columns' : 'options';
}

export function beforeOptions({ hasColumnsStep }: Draft): Step {
  return hasColumnsStep ? 'columns' : 'file';
}
