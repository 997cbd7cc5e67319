import { NativeSelect, Stack, Table, Text, Title } from '@mantine/core';

import { ROSTER_COLUMNS } from '~/review/rosterColumns';
import { Value, visibleText } from '~/review/text';

import type { MappingProps } from './ColumnsStep';
import { targetOf, withColumn } from './editMapping';
import styles from './import.module.css';

/** The columns of the file, and which of ours each is. */
export function ColumnTable({ response, mapping, onChange }: MappingProps) {
  const templates = Object.values(mapping.templates).join(' ');
  return (
    <Stack gap="xs" component="section" aria-labelledby="columns-title">
      <Title order={3} size="h5" id="columns-title">
        Columns
      </Title>
      <div className={styles.sample}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">In the file</Table.Th>
              <Table.Th scope="col">Becomes</Table.Th>
              <Table.Th scope="col">Values</Table.Th>
              <Table.Th scope="col">Why</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {response.columns.map(({ name, proposedColumn, samples, reason }, index) => {
              const target = targetOf(mapping, name, proposedColumn);
              const isRead = target === '' && templates.includes(JSON.stringify(name));
              return (
                <Table.Tr key={index}>
                  <Table.Th scope="row">
                    <Value>{name === '' ? `Column ${index + 1}, without a name` : name}</Value>
                  </Table.Th>
                  <Table.Td>
                    <NativeSelect
                      size="xs"
                      w={210}
                      aria-label={`${visibleText(name)} becomes`}
                      value={target}
                      onChange={({ currentTarget }) =>
                        onChange(withColumn(mapping, name, currentTarget.value, response))
                      }
                      data={[
                        { value: '', label: isRead ? 'Only read by a template' : 'Ignored' },
                        ...ROSTER_COLUMNS,
                      ]}
                    />
                  </Table.Td>
                  <Table.Td maw={260} style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>
                    {samples.map((sample, position) => (
                      <span key={position}>
                        {position > 0 && ' · '}
                        <Value>{sample}</Value>
                      </span>
                    ))}
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: 'normal', minWidth: 200 }}>
                    <Text size="xs" c="dimmed">
                      <Value>{target === proposedColumn ? reason : 'You chose this.'}</Value>
                    </Text>
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </div>
    </Stack>
  );
}
