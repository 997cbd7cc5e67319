import { Button, List, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import type { Problem } from '~/api/problem';

import { ActionAlert } from './ActionAlert';

interface FailureProps {
  readonly problem: Problem;
  /** What did not work, as a heading. */
  readonly title?: string;
  /** A sentence on what is safe and what to do next. */
  readonly nextStep?: string;
  readonly onRetry?: (() => void) | undefined;
  /** What `onRetry` does, if it is not another try. */
  readonly retryLabel?: string;
}

/** Says what happened, that nothing was lost, and the next step. */
export function Failure({
  problem,
  title = 'That did not work',
  nextStep,
  onRetry,
  retryLabel = 'Try again',
}: FailureProps) {
  return (
    <ActionAlert
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      actions={
        onRetry && (
          <Button size="xs" variant="light" color="red" onClick={onRetry}>
            {retryLabel}
          </Button>
        )
      }
    >
      <Text size="sm">{problem.message}</Text>
      {problem.faults.length > 0 && problem.faults.some((fault) => fault !== problem.message) && (
        <List size="sm">
          {problem.faults.map((fault) => (
            <List.Item key={fault}>{fault}</List.Item>
          ))}
        </List>
      )}
      <Text size="sm">{nextStep ?? 'Nothing was changed.'}</Text>
    </ActionAlert>
  );
}
