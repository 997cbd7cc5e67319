import { Alert, Stack, Text } from '@mantine/core';
import { IconShieldExclamation } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { plainWords } from '~/api/plainWords';
import type { Refusal } from '~/gen/userimport/v1/types_pb';

import { Value } from './text';

interface RefusalsProps {
  readonly refusals: readonly Refusal[];
  readonly title?: string;
  /** What can be done about a refusal on this screen. */
  readonly action?: (refusal: Refusal) => ReactNode;
  /** Says what is safe; by default that nothing was written. */
  readonly children?: ReactNode;
}

/** Why an import is refused as a whole, and what can be done about it. Nothing if it is not. */
export function Refusals({ refusals, title = 'This import is refused', action, children }: RefusalsProps) {
  if (refusals.length === 0) {
    return null;
  }
  return (
    <Alert color="red" icon={<IconShieldExclamation aria-hidden />} title={title} role="alert">
      <Stack gap="sm">
        {refusals.map((refusal, index) => (
          <Stack key={index} gap="xs" align="flex-start">
            <Text size="sm">
              <Value>{plainWords(refusal.message)}</Value>
            </Text>
            {action?.(refusal)}
          </Stack>
        ))}
        <Text size="sm">{children ?? 'Nothing was written.'}</Text>
      </Stack>
    </Alert>
  );
}
