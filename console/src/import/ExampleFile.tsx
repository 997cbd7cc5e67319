import { Button, Menu, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { imports } from '~/api/transport';
import { FileFormat } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';

import { saveFile } from './saveFile';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Downloads the header and four example rows, with the values of this organisation. */
export function ExampleFile() {
  const { organization } = useSession();
  const [problem, setProblem] = useState<Problem>();
  const download = async (format: FileFormat) => {
    setProblem(undefined);
    try {
      const request = { organization, format, byteOrderMark: true };
      const { filename, csv, workbook } = await imports.getImportTemplate(request);
      if (format === FileFormat.XLSX) {
        saveFile(filename, XLSX, [workbook as Uint8Array<ArrayBuffer>]);
      } else {
        saveFile(filename, 'text/csv', [csv as Uint8Array<ArrayBuffer>]);
      }
    } catch (thrown) {
      setProblem(problemOf(thrown));
    }
  };
  return (
    <div>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
            Download example file
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void download(FileFormat.XLSX)}>
            Workbook (.xlsx) with the valid values as lists
          </Menu.Item>
          <Menu.Item onClick={() => void download(FileFormat.CSV)}>CSV (.csv)</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <div role="status">
        {problem && (
          <Text size="sm" mt="xs">
            The example file could not be made: {problem.message}
          </Text>
        )}
      </div>
    </div>
  );
}
