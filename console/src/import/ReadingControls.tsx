import { Group, Select } from '@mantine/core';

import { RosterFormat, type InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';

import type { Reading } from './options';

const CHARSETS = [
  'UTF-8',
  'UTF-16LE',
  'UTF-16BE',
  'windows-1252',
  'windows-1250',
  'windows-1251',
  'ISO-8859-2',
  'ISO-8859-15',
  'macintosh',
];

const DELIMITERS = [
  { value: ',', label: 'Comma ,' },
  { value: ';', label: 'Semicolon ;' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Bar |' },
];

interface ReadingControlsProps {
  readonly response: InspectRosterResponse;
  readonly reading: Reading;
  readonly onChange: (reading: Partial<Reading>) => void;
}

/** What the server found the file to be, to be corrected if that is wrong. */
export function ReadingControls({ response, reading, onChange }: ReadingControlsProps) {
  const { format, charset, delimiter, sheets } = response;
  if (format === RosterFormat.WORKBOOK) {
    return (
      <Select
        label="Sheet"
        description="The sheet that has the roster"
        w={260}
        allowDeselect={false}
        data={sheets}
        value={reading.sheet === '' ? (sheets[0] ?? null) : reading.sheet}
        onChange={(sheet) => onChange({ sheet: sheet ?? '' })}
      />
    );
  }
  return (
    <Group gap="md" align="flex-start">
      <Select
        label="Charset"
        description="Wrong if letters look odd below"
        w={220}
        searchable
        allowDeselect={false}
        data={[...new Set([charset, ...CHARSETS].filter((one) => one !== ''))]}
        value={charset}
        onChange={(value) => onChange({ charset: value ?? '' })}
      />
      <Select
        label="Delimiter"
        description="Stands between the values"
        w={220}
        allowDeselect={false}
        data={DELIMITERS}
        value={delimiter === '' ? null : delimiter}
        placeholder="Not found"
        onChange={(value) => onChange({ delimiter: value ?? '' })}
      />
    </Group>
  );
}
