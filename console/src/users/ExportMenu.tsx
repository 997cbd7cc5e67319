import { Button, Group, Loader, Menu, Text } from '@mantine/core';
import { IconChevronDown, IconDownload, IconFileSpreadsheet, IconFileTypeCsv } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { FileFormat } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { datedName, saveFile, sizeInWords } from '~/shared/download';
import { Failure } from '~/shared/Failure';

import { exportUsers } from './exportUsers';
import type { UserSearch } from './userSearch';

interface UserExport {
  readonly begin: (format: FileFormat.CSV | FileFormat.XLSX) => void;
  readonly stop: () => void;
  /** Bytes received; undefined: nothing is exported now. */
  readonly received: number | undefined;
  readonly problem: Problem | undefined;
}

/** Exports the users that pass the filters. */
export function useUserExport(search: UserSearch): UserExport {
  const { organization } = useSession();
  const [received, setReceived] = useState<number>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const begin = async (format: FileFormat.CSV | FileFormat.XLSX) => {
    const controller = new AbortController();
    running.current = controller;
    setProblem(undefined);
    setReceived(0);
    try {
      const { signal } = controller;
      const file = await exportUsers({ organization, search, format, onProgress: setReceived, signal });
      saveFile(file, datedName(`${organization}-users`, format === FileFormat.CSV ? 'csv' : 'xlsx'));
    } catch (error) {
      if (!controller.signal.aborted) {
        setProblem(problemOf(error));
      }
    }
    setReceived(undefined);
  };
  return { begin: (format) => void begin(format), stop: () => running.current?.abort(), received, problem };
}

/** Offers the formats of an export. */
export function ExportMenu({ running }: { readonly running: UserExport }) {
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          disabled={running.received !== undefined}
        >
          Export results
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All users that pass the filters</Menu.Label>
        <Menu.Item
          leftSection={<IconFileTypeCsv size={16} aria-hidden />}
          onClick={() => running.begin(FileFormat.CSV)}
        >
          CSV file
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileSpreadsheet size={16} aria-hidden />}
          onClick={() => running.begin(FileFormat.XLSX)}
        >
          Excel workbook
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** How far the export is, and what went wrong with it. */
export function ExportProgress({ running }: { readonly running: UserExport }) {
  const { received, problem, stop } = running;
  if (problem) {
    return (
      <Failure
        problem={problem}
        title="The users were not exported"
        nextStep="No file was saved. Nothing was changed."
      />
    );
  }
  if (received === undefined) {
    return null;
  }
  return (
    <Group gap="sm" mb="sm">
      <Loader size="xs" aria-hidden />
      <Text size="sm" role="status">
        Exporting users: {sizeInWords(received)} received
      </Text>
      <Button size="compact-sm" variant="subtle" onClick={stop}>
        Stop
      </Button>
    </Group>
  );
}
