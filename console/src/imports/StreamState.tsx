import { Alert, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';

import { useResults } from '~/review/useResults';

import { ProgressLine } from './ProgressLine';
import type { Followed } from './useFollowed';

/** How far a stream is, and what keeps it from going on. Nothing once it has ended. */
export function StreamState({ followed }: { readonly followed: Followed }) {
  const { store, trouble, hasEnded } = followed;
  useResults(store);
  if (hasEnded) {
    return null;
  }
  return (
    <>
      {trouble && (
        <Alert
          color="yellow"
          icon={<IconPlugConnectedX aria-hidden />}
          title="The connection is interrupted"
          role="status"
        >
          <Text size="sm">
            {trouble.message} Nothing is lost: it is tried again, and goes on where it stopped.
          </Text>
        </Alert>
      )}
      <ProgressLine progress={store.progress} />
    </>
  );
}
