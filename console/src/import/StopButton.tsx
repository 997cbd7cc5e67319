import { Button, Group, Text } from '@mantine/core';
import { IconPlayerStop } from '@tabler/icons-react';
import { useState } from 'react';

import { problemOf } from '~/api/problem';

import type { StepProps } from './StepProps';

/** Stops the import that is being applied. Says why if that fails; it can be tried again then. */
export function StopButton({ session }: Pick<StepProps, 'session'>) {
  const [isStopping, setStopping] = useState(false);
  const [failure, setFailure] = useState('');
  const stop = () => {
    setStopping(true);
    setFailure('');
    session.runs.cancel().catch((thrown: unknown) => {
      setStopping(false);
      setFailure(problemOf(thrown).message);
    });
  };
  return (
    <Group gap="xs">
      <Text size="sm" role="status">
        {isStopping ? 'Stopping…' : failure}
      </Text>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerStop size={14} aria-hidden />}
        onClick={stop}
        disabled={isStopping}
      >
        Stop the import
      </Button>
    </Group>
  );
}
