import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import type { ImportSummary } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { hasWritten, restInWords } from '~/review/stoppedWords';
import { useSession } from '~/session/Session';
import { Lacking } from '~/shared/Lacking';
import { STATE_LOOKS } from '~/shared/outcomes';
import { plural } from '~/shared/time';

/** The end of the import in a few sentences, announced to screen readers, with Undo. */
export function HowItEnded({ summary }: { readonly summary: ImportSummary }) {
  const { may } = useSession();
  const { state, importId } = summary;
  const [title, color] = ENDS[state] ?? ['The import has ended', 'gray'];
  const { icon: StateIcon } = STATE_LOOKS[state];
  // The counts of a refused import say what would have been written.
  const isRefused = state === ImportState.REFUSED;
  const isPart = state === ImportState.CANCELLED || state === ImportState.INTERRUPTED;
  return (
    <Alert color={color} icon={<StateIcon aria-hidden />} title={title} role="status">
      <Group gap="md" justify="space-between">
        <Stack gap={4}>
          <Text size="sm">{isRefused ? 'Nothing was written.' : countsOf(summary)}</Text>
          {isPart && (
            <Text size="sm">
              {restInWords(summary)} To import the rest, choose <em>Review again</em>: rows that were written
              are unchanged then.
            </Text>
          )}
          {!isRefused && hasWritten(summary) && (
            <Lacking needs="users.read" action="see this import among the others, and to undo it" />
          )}
        </Stack>
        {!isRefused && hasWritten(summary) && may('users.read') && (
          <Button
            renderRoot={(props) => (
              <Link {...props} to="/imports/$importId" params={{ importId }} search={{ undo: true }} />
            )}
            size="xs"
            variant="default"
            leftSection={<IconArrowBackUp size={14} aria-hidden />}
          >
            Undo this import
          </Button>
        )}
      </Group>
    </Alert>
  );
}

function countsOf({ created, updated, deactivated, rejected }: ImportSummary): string {
  const counts = [
    `${plural(created, 'user')} created`,
    `${updated.toLocaleString('en-GB')} updated`,
    `${deactivated.toLocaleString('en-GB')} deactivated because not listed`,
    `${plural(rejected, 'row')} rejected`,
  ];
  return `${counts.join(', ')}.`;
}

const ENDS: Partial<Record<ImportState, readonly [string, string]>> = {
  [ImportState.COMPLETED]: ['The import is complete', 'green'],
  [ImportState.REFUSED]: ['The import was refused', 'red'],
  [ImportState.CANCELLED]: ['The import was stopped', 'gray'],
  [ImportState.INTERRUPTED]: ['The import was interrupted', 'orange'],
};
