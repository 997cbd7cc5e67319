import { ActionIcon, Button, Group, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useId, type ReactNode } from 'react';

import { ROSTER_COLUMNS } from '~/review/rosterColumns';

import { newKey } from './catalogDraft';
import type { ColumnLine, TemplateLine, ValueLine } from './mappingDraft';
import styles from './settings.module.css';

interface LinesProps<T> {
  readonly lines: readonly T[];
  readonly onChange: (lines: readonly T[]) => void;
}

/** Which column of a roster each column of the file is. */
export function ColumnLines(props: LinesProps<ColumnLine>) {
  return (
    <Lines
      {...props}
      title="Columns"
      noun="column"
      blank={() => ({ key: newKey(), name: '', column: '' })}
      called={({ name }) => name}
      fields={(line, change) => (
        <>
          <TextInput
            label="In the file"
            value={line.name}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />
          <ColumnSelect
            label="Is read as"
            placeholder="Ignored"
            clearable
            value={line.column}
            onChange={(column) => change({ column })}
          />
        </>
      )}
    />
  );
}

/** Which value each cell of a column stands for. */
export function ValueLines(props: LinesProps<ValueLine>) {
  return (
    <Lines
      {...props}
      title="Values"
      noun="value"
      blank={() => ({ key: newKey(), column: props.lines.at(-1)?.column ?? 'STATUS', cell: '', value: '' })}
      called={({ column, cell }) => `${column} ${cell}`}
      fields={(line, change) => (
        <>
          <ColumnSelect label="Column" value={line.column} onChange={(column) => change({ column })} />
          <TextInput
            label="In the file"
            placeholder="Blank"
            value={line.cell}
            onChange={({ currentTarget }) => change({ cell: currentTarget.value })}
          />
          <TextInput
            label="Becomes"
            placeholder="Blank"
            value={line.value}
            onChange={({ currentTarget }) => change({ value: currentTarget.value })}
          />
        </>
      )}
    />
  );
}

/** Which columns are computed from others. */
export function TemplateLines(props: LinesProps<TemplateLine>) {
  return (
    <Lines
      {...props}
      title="Computed columns"
      noun="computed column"
      blank={() => ({ key: newKey(), column: '', template: '' })}
      called={({ column }) => column}
      fields={(line, change) => (
        <>
          <ColumnSelect label="Column" value={line.column} onChange={(column) => change({ column })} />
          <TextInput
            label="Template"
            placeholder={'{{ row["User ID"] | lower }}@pd.example'}
            className={styles.wide}
            value={line.template}
            onChange={({ currentTarget }) => change({ template: currentTarget.value })}
          />
        </>
      )}
    />
  );
}

interface ColumnSelectProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly clearable?: boolean;
  readonly onChange: (column: string) => void;
}

function ColumnSelect({ value, onChange, clearable = false, ...field }: ColumnSelectProps) {
  const known: readonly string[] = ROSTER_COLUMNS;
  return (
    <Select
      {...field}
      searchable
      clearable={clearable}
      allowDeselect={false}
      data={value === '' || known.includes(value) ? [...known] : [...known, value]}
      value={value || null}
      onChange={(column) => onChange(column ?? '')}
    />
  );
}

interface EditedLinesProps<T> extends LinesProps<T> {
  readonly title: string;
  readonly noun: string;
  readonly blank: () => T;
  readonly called: (line: T) => string;
  readonly fields: (line: T, change: (part: Partial<T>) => void) => ReactNode;
}

function Lines<T extends { readonly key: number }>(props: EditedLinesProps<T>) {
  const { lines, onChange, title, noun, blank, called, fields } = props;
  const heading = useId();
  const change = (key: number, part: Partial<T>) =>
    onChange(lines.map((line) => (line.key === key ? { ...line, ...part } : line)));
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={heading}>
      <Title order={3} size="h6" mb="xs" id={heading}>
        {title}
      </Title>
      <Stack gap="xs">
        {lines.length === 0 && (
          <Text size="sm" c="dimmed">
            None.
          </Text>
        )}
        {lines.map((line) => (
          <Group key={line.key} gap="xs" align="flex-end" className={styles.line}>
            {fields(line, (part) => change(line.key, part))}
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Remove the ${noun} ${called(line)}`.trim()}
              onClick={() => onChange(lines.filter(({ key }) => key !== line.key))}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => onChange([...lines, blank()])}
          >
            Add {noun}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
