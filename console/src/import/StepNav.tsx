import { UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconMinus } from '@tabler/icons-react';

import type { Draft, Step } from './draft';
import styles from './import.module.css';
import { stateOf, STEPS } from './steps';

interface StepNavProps {
  readonly draft: Draft;
  /** Undefined: the import is being applied, so there is no way back. */
  readonly onGo: ((step: Step) => void) | undefined;
}

/** Where in the import one is, and the way back to the steps before. */
export function StepNav({ draft, onGo }: StepNavProps) {
  return (
    <nav aria-label="Steps of the import">
      <ol className={styles.steps}>
        {STEPS.map(({ step, label }, index) => {
          const state = stateOf(step, draft);
          const content = (
            <>
              <span className={styles.stepNumber} aria-hidden>
                {state === 'done' ? (
                  <IconCheck size={14} />
                ) : state === 'skipped' ? (
                  <IconMinus size={14} />
                ) : (
                  index + 1
                )}
              </span>
              <span className={styles.stepLabel}>{label}</span>
              {state === 'done' && <VisuallyHidden>, done</VisuallyHidden>}
              {state === 'skipped' && <VisuallyHidden>, not needed: all columns match</VisuallyHidden>}
            </>
          );
          return (
            <li key={step} aria-current={state === 'current' ? 'step' : undefined}>
              {state === 'done' && onGo ? (
                <UnstyledButton className={styles.step} data-state={state} onClick={() => onGo(step)}>
                  {content}
                </UnstyledButton>
              ) : (
                <span className={styles.step} data-state={state} title={labelOf(state)}>
                  {content}
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function labelOf(state: string): string | undefined {
  return state === 'skipped' ? 'Not needed: all columns and values match' : undefined;
}
