import { Alert, Stack, Text } from '@mantine/core';
import { IconEye } from '@tabler/icons-react';

import type { Consequence, ConsequenceExample } from '~/gen/userimport/v1/import_service_pb';
import { ConsequenceKind } from '~/gen/userimport/v1/import_service_pb';
import { plural } from '~/shared/time';

import { consequenceInWords, detailInWords } from './consequenceWords';
import styles from './review.module.css';
import { Value } from './text';

/** More examples than this are shown when they are asked for. */
const SHOWN_AT_ONCE = 3;

/** What is worth a look before an import is applied. Nothing if there is nothing. */
export function Consequences({ consequences }: { readonly consequences: readonly Consequence[] }) {
  if (consequences.length === 0) {
    return null;
  }
  return (
    <Alert color="orange" icon={<IconEye aria-hidden />} title="Worth a look before you confirm">
      <Stack gap="xs">
        {consequences.map((consequence) => (
          <OneConsequence key={consequence.kind} consequence={consequence} />
        ))}
      </Stack>
    </Alert>
  );
}

function OneConsequence({ consequence }: { readonly consequence: Consequence }) {
  const { kind, count, examples } = consequence;
  const words = consequenceInWords(consequence);
  if (examples.length === 0) {
    return <Text size="sm">{words}</Text>;
  }
  const more = count - examples.length;
  const list = (
    <ul className={styles.examples}>
      {examples.map((example, index) => (
        <li key={index}>
          <Example kind={kind} example={example} />
        </li>
      ))}
      {more > 0 && <li>and {plural(more, 'more', 'more')}</li>}
    </ul>
  );
  if (examples.length <= SHOWN_AT_ONCE) {
    return (
      <div>
        <Text size="sm">{words}</Text>
        {list}
      </div>
    );
  }
  return (
    <details>
      <summary style={{ cursor: 'pointer' }}>
        <Text span size="sm">
          {words}
        </Text>
      </summary>
      {list}
    </details>
  );
}

function Example({
  kind,
  example,
}: {
  readonly kind: ConsequenceKind;
  readonly example: ConsequenceExample;
}) {
  const { externalId, email, detail, row } = example;
  const parts = [externalId, email, detailInWords(kind, detail)].filter((part) => part !== '');
  return (
    <>
      {parts.map((part, index) => (
        <span key={index}>
          {index > 0 && ' · '}
          <Value>{part}</Value>
        </span>
      ))}
      {row > 0 && ` · row ${row.toLocaleString('en-GB')}`}
    </>
  );
}
