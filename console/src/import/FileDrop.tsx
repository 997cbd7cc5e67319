import '@mantine/dropzone/styles.css';

import { Group, Stack, Text, UnstyledButton } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFileSpreadsheet, IconUpload, IconX } from '@tabler/icons-react';

import { hasKnownEnding } from './fileKinds';
import styles from './import.module.css';

interface FileDropProps {
  readonly title: string;
  readonly onFile: (file: File) => void;
  readonly onWrongKind: (name: string) => void;
}

/** Takes a file that is dropped, or chosen by mouse or keyboard. */
export function FileDrop({ title, onFile, onWrongKind }: FileDropProps) {
  return (
    <Dropzone
      className={styles.drop ?? ''}
      multiple={false}
      enablePointerEvents
      // The keyboard and screen readers have the button within; the area around it takes files and clicks.
      activateOnKeyboard={false}
      inputProps={{ 'aria-label': 'Roster file', 'aria-hidden': true }}
      onDrop={([file]) => {
        if (file) {
          (hasKnownEnding(file.name) ? onFile : ({ name }: File) => onWrongKind(name))(file);
        }
      }}
    >
      <Group justify="center" gap="md" mih={160}>
        <Dropzone.Accept>
          <IconUpload size={40} stroke={1.4} aria-hidden />
        </Dropzone.Accept>
        <Dropzone.Reject>
          <IconX size={40} stroke={1.4} aria-hidden />
        </Dropzone.Reject>
        <Dropzone.Idle>
          <IconFileSpreadsheet size={40} stroke={1.4} aria-hidden />
        </Dropzone.Idle>
        <Stack gap={2}>
          {/* Its click, also by the keyboard, is one on the area. */}
          <UnstyledButton className={styles.choose ?? ''}>{title}</UnstyledButton>
          <Text size="sm" c="dimmed">
            CSV (.csv, .txt) or a workbook (.xlsx, .ods), from a spreadsheet or any other system
          </Text>
        </Stack>
      </Group>
    </Dropzone>
  );
}
