import { Button, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';

import type { ResultStore } from '~/review/ResultStore';

import { makeErrorFile } from './makeErrorFile';
import { saveFile } from './saveFile';
import type { StepProps } from './StepProps';

/** Downloads the rejected rows, ready to be corrected in a spreadsheet and imported again. */
export function ErrorFileButton({ session, state, store }: StepProps & { readonly store: ResultStore }) {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const isWorkbook = state.draft.file?.kind === 'workbook';
  if (!state.file) {
    return (
      <Text size="xs" c="dimmed" maw={360}>
        The rejected rows can no longer be downloaded: the browser’s copy of the file was removed. Your own
        file has them, on the lines named here.
      </Text>
    );
  }
  const make = async () => {
    setBusy(true);
    setFailure('');
    try {
      const { name, text } = await makeErrorFile(session, store);
      saveFile(name, 'text/csv;charset=utf-8', [text]);
    } catch (thrown) {
      setFailure(thrown instanceof Error ? thrown.message : String(thrown));
    }
    setBusy(false);
  };
  return (
    <div>
      <Button
        size="xs"
        variant="default"
        loading={isBusy}
        leftSection={<IconDownload size={14} aria-hidden />}
        onClick={() => void make()}
        title={
          isWorkbook
            ? 'As CSV in the columns of a roster, with the values as they were read'
            : 'As CSV in the columns of your file'
        }
      >
        Download the rejected rows
      </Button>
      <div role="status">
        {failure !== '' && <Text size="xs">The file of rejected rows could not be made: {failure}</Text>}
      </div>
    </div>
  );
}
