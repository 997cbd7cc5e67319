import { Code, Paper, Title } from '@mantine/core';

import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { Fact, Facts } from '~/shared/Facts';
import { STATE_LOOKS } from '~/shared/outcomes';
import { principalName } from '~/shared/people';
import { When } from '~/shared/When';

import { durationOf } from './importWords';

/** What the history keeps of an import. */
export function ImportRecord({ record }: { readonly record: Import }) {
  return (
    <section aria-labelledby="record">
      <Title order={2} size="h5" id="record" mb="xs">
        Record
      </Title>
      <Paper withBorder px="md" py="xs">
        <Facts>
          <Fact name="State">
            {STATE_LOOKS[record.state].label}
            {record.validateOnly && ' (a review: nothing was written)'}
          </Fact>
          <Fact name="Source">{record.source}</Fact>
          <Fact name="Sent by">{principalName(record.principal)}</Fact>
          <Fact name="Rows">{record.rows.toLocaleString('en-GB')}</Fact>
          <Fact name="Started">{record.startedAt && <When at={record.startedAt} absolute />}</Fact>
          <Fact name="Took">{durationOf(record)}</Fact>
          {record.heldUntil && (
            <Fact name="Held until">
              <When at={record.heldUntil} absolute />
            </Fact>
          )}
          {record.undoableUntil && (
            <Fact name="Undo until">
              <When at={record.undoableUntil} absolute />
            </Fact>
          )}
          <Fact name="ID">
            <Code>{record.importId}</Code>
          </Fact>
          <Fact name="SHA-256 of the file">
            {record.inputSha256.length > 0 && <Code>{hexOf(record.inputSha256)}</Code>}
          </Fact>
        </Facts>
      </Paper>
    </section>
  );
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
