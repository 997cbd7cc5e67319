import { Button } from '@mantine/core';
import { IconArrowLeft, IconArrowRight, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import styles from './import.module.css';

/** The buttons of a step, which stay in sight at the foot of the window: the way back first, the way on last. */
export function StepBar({ children }: { readonly children: ReactNode }) {
  return <div className={styles.bar}>{children}</div>;
}

/** Goes back to the step before. */
export function BackButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <Button variant="default" leftSection={<IconArrowLeft size={16} aria-hidden />} onClick={onClick}>
      Back
    </Button>
  );
}

interface NextButtonProps {
  readonly label?: string;
  readonly isDisabled: boolean;
  readonly onClick: () => void;
}

/** Goes on to the next step. */
export function NextButton({ label = 'Continue', isDisabled, onClick }: NextButtonProps) {
  return (
    <Button rightSection={<IconArrowRight size={16} aria-hidden />} disabled={isDisabled} onClick={onClick}>
      {label}
    </Button>
  );
}

/** Has the server plan the same file once more. */
export function ReviewAgainButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={onClick}>
      Review again
    </Button>
  );
}
