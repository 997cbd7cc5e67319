import { Group, Stack, Table, Text } from '@mantine/core';

import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { AnchorLink } from '~/shared/links';
import { countsInWords, OutcomeBar, StateBadge } from '~/shared/outcomes';
import { principalName } from '~/shared/people';
import { When } from '~/shared/When';

import styles from './imports.module.css';
import { importTitle, isRunning, isWritten } from './importWords';

interface ImportTableProps {
  readonly imports: readonly Import[];
  /** True: the lines belong to what was asked for before. */
  readonly isOutdated: boolean;
}

export function ImportTable({ imports, isOutdated }: ImportTableProps) {
  return (
    <Table.ScrollContainer minWidth={860} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table highlightOnHover verticalSpacing={8} className={styles.table} aria-busy={isOutdated}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Source</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Sent by</Table.Th>
            <Table.Th>Started</Table.Th>
            <Table.Th className={styles.number}>Rows</Table.Th>
            <Table.Th className={styles.outcomes}>Outcomes</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {imports.map((one) => (
            <ImportLine key={one.importId} record={one} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function ImportLine({ record }: { readonly record: Import }) {
  const title = importTitle(record);
  return (
    <Table.Tr>
      <Table.Td className={styles.source}>
        <AnchorLink
          to="/imports/$importId"
          params={{ importId: record.importId }}
          title={title}
          lineClamp={2}
        >
          <bdi>{title}</bdi>
        </AnchorLink>
      </Table.Td>
      <Table.Td className={styles.state}>
        <StateBadge state={record.state} validateOnly={record.validateOnly} undone={record.undoneBy !== ''} />
      </Table.Td>
      <Table.Td className={styles.sender}>
        <Text size="sm" truncate title={principalName(record.principal)}>
          {principalName(record.principal)}
        </Text>
      </Table.Td>
      <Table.Td>{record.startedAt && <When at={record.startedAt} />}</Table.Td>
      <Table.Td className={styles.number}>{record.rows.toLocaleString('en-GB')}</Table.Td>
      <Table.Td>
        <Outcomes record={record} />
      </Table.Td>
    </Table.Tr>
  );
}

/** What became of the rows, as a bar and in words. */
export function Outcomes({ record }: { readonly record: Import }) {
  if (record.rows === 0 && record.deactivated === 0) {
    const words = isRunning(record.state) ? 'Not known yet' : 'None: no row was judged';
    return (
      <Text size="xs" c="dimmed">
        {words}
      </Text>
    );
  }
  return (
    <Stack gap={4}>
      <OutcomeBar counts={record} />
      <Group gap={4}>
        <Text size="xs" c="dimmed">
          {isWritten(record) ? countsInWords(record) : `Would be: ${countsInWords(record)}`}
        </Text>
      </Group>
    </Stack>
  );
}
