import { Table } from '@mantine/core';

import type { InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';
import { Value } from '~/review/text';

import styles from './import.module.css';

/** The first rows of the file, as it has them. */
export function SampleTable({ response }: { readonly response: InspectRosterResponse }) {
  const { columns, firstRows } = response;
  return (
    <div className={styles.sample} role="region" aria-label="The first rows of the file" tabIndex={0}>
      <Table withRowBorders striped verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ name }, index) => (
              <Table.Th key={index} scope="col">
                <Value>{name === '' ? `Column ${index + 1}` : name}</Value>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {firstRows.map(({ cells }, row) => (
            <Table.Tr key={row}>
              {columns.map((_, index) => (
                <Table.Td key={index}>
                  <Value>{cells[index] ?? ''}</Value>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
