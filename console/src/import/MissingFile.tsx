import { Alert, Stack, Text } from '@mantine/core';
import { IconFileAlert } from '@tabler/icons-react';
import { useState } from 'react';

import { Value } from '~/review/text';

import { FileDrop } from './FileDrop';
import type { StepProps } from './StepProps';

/** Asks for the file whose copy the browser has not kept. Everything else that was chosen is kept. */
export function MissingFile({ session, state }: StepProps) {
  const [other, setOther] = useState<string>();
  const name = state.draft.file?.name ?? '';
  return (
    <Alert color="orange" icon={<IconFileAlert aria-hidden />} title="Choose the file again">
      <Stack gap="sm">
        <Text size="sm">
          The browser has not kept its copy of <Value>{name}</Value>. What you chose so far is kept.
        </Text>
        <FileDrop
          title="Drop the same file here, or choose it"
          onFile={(file) => setOther(session.chooseAgain(file) ? undefined : file.name)}
          onWrongKind={setOther}
        />
        <div role="status">
          {other !== undefined && (
            <Text size="sm">
              <Value>{other}</Value> is another file. To import that one, start over.
            </Text>
          )}
        </div>
      </Stack>
    </Alert>
  );
}
