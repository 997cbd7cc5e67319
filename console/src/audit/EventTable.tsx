import { ActionIcon, Modal, Table, Text } from '@mantine/core';
import { IconListDetails } from '@tabler/icons-react';
import { useState } from 'react';

import type { AuditEvent } from '~/gen/userimport/v1/audit_service_pb';
import { When } from '~/shared/When';

import { EventDetails } from './EventDetails';
import { EventSentence } from './EventSentence';
import styles from './audit.module.css';

export function EventTable({ events }: { readonly events: readonly AuditEvent[] }) {
  const [shown, setShown] = useState<AuditEvent>();
  return (
    <>
      <Table verticalSpacing={6} highlightOnHover aria-label="Audit events">
        <Table.Thead>
          <Table.Tr>
            <Table.Th className={styles.number}>#</Table.Th>
            <Table.Th className={styles.when}>When</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>
              <span className={styles.hidden}>Details</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {events.map((event) => (
            <Table.Tr key={String(event.sequence)}>
              <Table.Td className={styles.number}>{event.sequence.toLocaleString('en-GB')}</Table.Td>
              <Table.Td className={styles.when}>{event.at && <When at={event.at} />}</Table.Td>
              <Table.Td className={styles.what}>
                <Text size="sm" component="div">
                  <EventSentence event={event} />
                </Text>
              </Table.Td>
              <Table.Td className={styles.button}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Details of event ${event.sequence}`}
                  onClick={() => setShown(event)}
                >
                  <IconListDetails size={16} aria-hidden />
                </ActionIcon>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Modal
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        title={`Event ${shown?.sequence ?? ''}`}
        size="lg"
      >
        {shown && <EventDetails event={shown} />}
      </Modal>
    </>
  );
}
