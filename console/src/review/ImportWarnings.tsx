import { Alert, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import { plainWords } from '~/api/plainWords';
import type { Issue } from '~/gen/userimport/v1/types_pb';

import styles from './review.module.css';
import { Value } from './text';

/** What is worth knowing about an import as a whole. Nothing if there is nothing. */
export function ImportWarnings({ warnings }: { readonly warnings: readonly Pick<Issue, 'message'>[] }) {
  if (warnings.length === 0) {
    return null;
  }
  return (
    <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />} title="Warnings">
      {warnings.length === 1 ? (
        <Text size="sm">
          <Value>{plainWords(warnings[0]?.message ?? '')}</Value>
        </Text>
      ) : (
        <ul className={styles.plainList}>
          {warnings.map(({ message }, index) => (
            <li key={index}>
              <Value>{plainWords(message)}</Value>
            </li>
          ))}
        </ul>
      )}
    </Alert>
  );
}
