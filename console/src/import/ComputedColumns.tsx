import { ActionIcon, Button, Group, NativeSelect, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';

import { ROSTER_COLUMNS } from '~/review/rosterColumns';

import type { MappingProps } from './ColumnsStep';
import { withTemplate } from './editMapping';

/** Columns that are computed from cells of the file. */
export function ComputedColumns({ mapping, onChange }: MappingProps) {
  const computed = Object.entries(mapping.templates);
  const free = ROSTER_COLUMNS.filter((column) => !(column in mapping.templates));
  const [next, setNext] = useState<string>('EMAIL');
  const chosen = free.find((column) => column === next) ?? free[0] ?? '';
  return (
    <Stack gap="xs" component="section" aria-labelledby="computed-title">
      <Title order={3} size="h5" id="computed-title">
        Computed columns
      </Title>
      <Text size="sm" c="dimmed">
        A template computes a column from cells of the same row:{' '}
        <code>{'{{ row["User ID"] | lower }}@pd.example'}</code>
      </Text>
      {computed.map(([column, template]) => (
        <Group key={column} gap="xs" align="flex-end" wrap="nowrap">
          <TemplateInput
            key={template}
            column={column}
            template={template}
            onChange={(changed) => onChange(withTemplate(mapping, column, changed))}
          />
          <ActionIcon
            variant="default"
            size={30}
            aria-label={`Do not compute ${column}`}
            onClick={() => onChange(withTemplate(mapping, column, undefined))}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      <Group gap="xs" align="flex-end">
        <NativeSelect
          size="xs"
          label="Column to compute"
          value={chosen}
          data={free}
          onChange={({ currentTarget }) => setNext(currentTarget.value)}
        />
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange(withTemplate(mapping, chosen, '{{ row[""] }}'))}
        >
          Add a template
        </Button>
      </Group>
    </Stack>
  );
}

interface TemplateInputProps {
  readonly column: string;
  readonly template: string;
  readonly onChange: (template: string) => void;
}

/** Takes what was typed when it is left, as each change has the file looked at again. */
function TemplateInput({ column, template, onChange }: TemplateInputProps) {
  const [typed, setTyped] = useState(template);
  const done = () => {
    if (typed !== template) {
      onChange(typed);
    }
  };
  return (
    <TextInput
      size="xs"
      label={column}
      flex={1}
      maw={640}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={typed}
      onChange={({ currentTarget }) => setTyped(currentTarget.value)}
      onBlur={done}
      onKeyDown={({ key }) => key === 'Enter' && done()}
    />
  );
}
