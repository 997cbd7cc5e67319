import { Alert, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { Code } from '@connectrpc/connect';

import type { Problem } from '~/api/problem';

/** Says that something is tried again by itself. Always there, so that screen readers hear when it begins and ends. */
export function Trouble({ trouble }: { readonly trouble: Problem | undefined }) {
  const isShown = trouble !== undefined && trouble.code !== Code.Unauthenticated;
  return (
    <div role="status" aria-live="polite">
      {isShown && (
        <Alert
          color="orange"
          icon={<IconPlugConnectedX aria-hidden />}
          title={isConnection(trouble) ? 'The connection is lost. Trying again…' : 'Waiting. Trying again…'}
        >
          <Text size="sm">{trouble.message} Nothing is lost: the import goes on by itself.</Text>
        </Alert>
      )}
    </div>
  );
}

/** False: the server has said what it waits for. */
function isConnection({ code }: Problem): boolean {
  return code !== Code.Aborted && code !== Code.ResourceExhausted;
}
