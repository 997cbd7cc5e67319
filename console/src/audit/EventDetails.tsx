import { Code, Stack, Text } from '@mantine/core';

import type { AuditEvent } from '~/gen/userimport/v1/audit_service_pb';
import { Fact, Facts } from '~/shared/Facts';
import { When } from '~/shared/When';

import { toHex } from './eventHash';
import { EventSentence } from './EventSentence';
import { ACTION_WORDS, detailName, namesOf, OUTCOME_WORDS } from './eventWords';

/** Everything that the trail has of one event. */
export function EventDetails({ event }: { readonly event: AuditEvent }) {
  const details = Object.entries(event.details).sort(([one], [other]) => one.localeCompare(other));
  return (
    <Stack gap="md">
      <Text size="sm" component="div">
        <EventSentence event={event} />
      </Text>
      <Facts>
        <Fact name="When">{event.at && <When at={event.at} absolute />}</Fact>
        <Fact name="Who">{event.principal}</Fact>
        <Fact name="From">{event.address}</Fact>
        <Fact name="What">{ACTION_WORDS[event.action]}</Fact>
        <Fact name="To">{event.subject}</Fact>
        <Fact name="Ended">{OUTCOME_WORDS[event.outcome]}</Fact>
        {details.map(([name, value]) => (
          <Fact key={name} name={detailName(name)}>
            {namesOf(value)}
          </Fact>
        ))}
        <Fact name="Hash">
          <Code>{toHex(event.hash)}</Code>
        </Fact>
        <Fact name="Hash before">
          <Code>{toHex(event.previousHash)}</Code>
        </Fact>
      </Facts>
    </Stack>
  );
}
