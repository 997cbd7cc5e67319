import { ActionIcon, Button, Group, Paper, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { IconArrowBackUp, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { useId, useState, type ReactNode } from 'react';

import { plural } from '~/shared/time';

import type { DraftEntry, EntryKind } from './catalogDraft';
import { sentPositions, type CatalogFaults } from './catalogFaults';
import styles from './settings.module.css';

/** More entries than this are found by searching, so that the page stays quick. */
const SHOWN = 50;

interface EntryListProps<T extends DraftEntry> {
  readonly title: string;
  readonly kind: EntryKind;
  /** What one is called, as "role". */
  readonly noun: string;
  readonly entries: readonly T[];
  readonly faults: CatalogFaults;
  readonly isReadOnly: boolean;
  /** Heads of the columns. */
  readonly heads: readonly string[];
  /** The cells of one entry. */
  readonly cells: (entry: T, change: (part: Partial<T>) => void) => readonly ReactNode[];
  /** An entry that is added. */
  readonly blank: () => T;
  readonly onChange: (entries: readonly T[]) => void;
}

/** One kind of the catalog's entries. */
export function EntryList<T extends DraftEntry>(props: EntryListProps<T>) {
  const { title, noun, entries, heads, isReadOnly, blank, onChange } = props;
  const heading = useId();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = entries.filter(
    ({ name, stored }) => `${name} ${stored ?? ''}`.toLowerCase().includes(wanted) || stored === undefined,
  );
  const shown = [
    ...found.slice(0, SHOWN),
    ...found.slice(SHOWN).filter(({ stored }) => stored === undefined),
  ];
  const positions = sentPositions(entries);
  const change = (key: number, part: Partial<T>) =>
    onChange(entries.map((entry) => (entry.key === key ? { ...entry, ...part } : entry)));
  const remove = (entry: T) =>
    entry.stored === undefined
      ? onChange(entries.filter(({ key }) => key !== entry.key))
      : change(entry.key, { isRemoved: true } as Partial<T>);
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={heading}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id={heading}>
          {title}
        </Title>
        {entries.length > SHOWN && (
          <TextInput
            size="xs"
            type="search"
            aria-label={`Search the ${noun}s`}
            placeholder={`Search ${plural(entries.length, noun)}`}
            leftSection={<IconSearch size={14} aria-hidden />}
            value={search}
            onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        )}
      </Group>
      <Stack gap="xs">
        {entries.length === 0 && (
          <Text size="sm" c="dimmed">
            There is no {noun} yet.{!isReadOnly && ' Add the first one.'}
          </Text>
        )}
        {shown.length > 0 && (
          <Table verticalSpacing={4} horizontalSpacing={4} withRowBorders={false} layout="auto">
            <Table.Thead>
              <Table.Tr>
                {heads.map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
                {!isReadOnly && (
                  <Table.Th className={styles.action}>
                    <span className={styles.hidden}>Remove</span>
                  </Table.Th>
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((entry) => (
                <EntryLine
                  key={entry.key}
                  {...props}
                  entry={entry}
                  fault={props.faults.ofEntry(props.kind, entry, positions.get(entry.key) ?? -1)}
                  onEdit={(part) => change(entry.key, part)}
                  onRemove={() => remove(entry)}
                />
              ))}
            </Table.Tbody>
          </Table>
        )}
        {found.length > shown.length && (
          <Text size="sm" c="dimmed">
            {plural(found.length - shown.length, 'more', 'more')}: search to find them.
          </Text>
        )}
        {!isReadOnly && (
          <Group>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => onChange([...entries, blank()])}
            >
              Add {noun}
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

interface EntryLineProps<T extends DraftEntry> extends EntryListProps<T> {
  readonly entry: T;
  readonly fault: string | undefined;
  readonly onEdit: (part: Partial<T>) => void;
  readonly onRemove: () => void;
}

function EntryLine<T extends DraftEntry>(props: EntryLineProps<T>) {
  const { entry, fault, heads, noun, isReadOnly, cells, onEdit, onRemove } = props;
  const called = entry.name || (entry.stored ?? `new ${noun}`);
  return (
    <>
      <Table.Tr>
        {entry.isRemoved ? (
          <Table.Td colSpan={heads.length}>
            <Text size="sm">
              <del>{called}</del> is removed when you save.
            </Text>
          </Table.Td>
        ) : (
          cells(entry, onEdit).map((cell, index) => <Table.Td key={heads[index]}>{cell}</Table.Td>)
        )}
        {!isReadOnly && (
          <Table.Td className={styles.action}>
            {entry.isRemoved ? (
              <ActionIcon
                variant="subtle"
                aria-label={`Keep ${called}`}
                title="Keep it"
                onClick={() => onEdit({ isRemoved: false } as Partial<T>)}
              >
                <IconArrowBackUp size={16} aria-hidden />
              </ActionIcon>
            ) : (
              <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${called}`} onClick={onRemove}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            )}
          </Table.Td>
        )}
      </Table.Tr>
      {fault && (
        <Table.Tr>
          <Table.Td colSpan={heads.length + 1} pt={0}>
            <Text size="sm" className={styles.fault}>
              {fault}
            </Text>
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
