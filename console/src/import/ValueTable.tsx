import { Button, Group, NativeSelect, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';

import type { InspectedValue } from '~/gen/userimport/v1/import_service_pb';
import { Value, visibleText } from '~/review/text';
import { LookBadge, OUTCOME_LOOKS } from '~/shared/outcomes';
import { RowOutcome } from '~/gen/userimport/v1/types_pb';

import type { MappingProps } from './ColumnsStep';
import { withValue } from './editMapping';
import styles from './import.module.css';
import { choicesOf, useCatalog } from './valueChoices';

/** Stands for "as it is" in the choices. */
const AS_IT_IS = '\u0000';

/** The values of STATUS, ROLE, RANK and group, and what each becomes. */
export function ValueTable(props: MappingProps) {
  const { response } = props;
  const [showsAll, setShowsAll] = useState(false);
  const [first] = useState(response.values);
  // A value that was unknown stays in view once it is matched.
  const wasUnknown = ({ column, cell }: InspectedValue) =>
    first.some((one) => one.column === column && one.cell === cell && !one.known);
  const mapped = ({ column, cell }: InspectedValue) =>
    props.mapping.values.some((one) => one.column === column && one.cell === cell);
  const shown = response.values.filter((one) => showsAll || !one.known || wasUnknown(one) || mapped(one));
  if (response.values.length === 0) {
    return null;
  }
  return (
    <Stack gap="xs" component="section" aria-labelledby="values-title">
      <Group justify="space-between">
        <Title order={3} size="h5" id="values-title">
          Values
        </Title>
        <Switch
          size="sm"
          label="Show the values that match, too"
          checked={showsAll}
          onChange={({ currentTarget }) => setShowsAll(currentTarget.checked)}
        />
      </Group>
      {shown.length === 0 ? (
        <Text size="sm">All values of STATUS, ROLE, RANK and group match.</Text>
      ) : (
        <div className={styles.sample}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Column</Table.Th>
                <Table.Th scope="col">In the file</Table.Th>
                <Table.Th scope="col" ta="right">
                  Rows
                </Table.Th>
                <Table.Th scope="col">Becomes</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((one) => (
                <ValueRow key={`${one.column} ${one.cell}`} one={one} {...props} />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Stack>
  );
}

function ValueRow({ one, response, mapping, onChange }: { readonly one: InspectedValue } & MappingProps) {
  const { column, cell, count, becomes, known, suggestion } = one;
  const catalog = useCatalog();
  const chosen = mapping.values.find((each) => each.column === column && each.cell === cell)?.value;
  const set = (value: string | undefined) => onChange(withValue(mapping, column, cell, value));
  const choices = choicesOf(column, catalog, response);
  const options = [
    { value: AS_IT_IS, label: known && chosen === undefined ? becomes : 'As it is' },
    ...choices.filter(({ value }) => value !== becomes || chosen !== undefined || !known),
    ...(column === 'STATUS' || column === 'ROLE' ? [] : [{ value: '', label: 'Blank' }]),
  ];
  return (
    <Table.Tr>
      <Table.Td>{column}</Table.Td>
      <Table.Th scope="row">{cell === '' ? 'blank' : <Value>{cell}</Value>}</Table.Th>
      <Table.Td ta="right">{count.toLocaleString('en-GB')}</Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <NativeSelect
            size="xs"
            w={210}
            aria-label={`${column} ${visibleText(cell)} becomes`}
            value={chosen ?? AS_IT_IS}
            data={options}
            onChange={({ currentTarget }) =>
              set(currentTarget.value === AS_IT_IS ? undefined : currentTarget.value)
            }
          />
          {!known && suggestion !== '' && (
            <Button size="compact-xs" variant="light" onClick={() => set(suggestion)}>
              Use “{visibleText(suggestion)}”
            </Button>
          )}
          {!known && (
            <LookBadge look={{ ...OUTCOME_LOOKS[RowOutcome.REJECTED], label: 'Would be rejected' }} />
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
