import { useQuery } from '@connectrpc/connect-query';
import { Group, Paper, Stack, Text, Title } from '@mantine/core';

import { plainWords } from '~/api/plainWords';
import { ImportService, type Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Lacking } from '~/shared/Lacking';
import { AnchorLink, ButtonLink } from '~/shared/links';
import { StateBadge } from '~/shared/outcomes';
import { principalName } from '~/shared/people';
import { When } from '~/shared/When';

import { approvalLack, mayApprove, OTHER_CREDENTIAL } from './approval';
import { DiscardButton } from './DiscardButton';
import { Outcomes } from './ImportTable';
import { importTitle } from './importWords';

/** The held imports, which wait for somebody to approve or discard them. Nothing if there is none. */
export function NeedsReview() {
  const { organization } = useSession();
  const { data } = useQuery(
    ImportService.method.listImports,
    { organization, pageSize: 100, state: ImportState.HELD },
    { refetchInterval: 30_000 },
  );
  const held = data?.imports ?? [];
  if (held.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="needs-review">
      <Title order={2} size="h5" id="needs-review" mb="xs">
        Needs review
      </Title>
      <Stack gap="sm" mb="lg">
        {held.map((one) => (
          <HeldImport key={one.importId} record={one} />
        ))}
      </Stack>
    </section>
  );
}

function HeldImport({ record }: { readonly record: Import }) {
  const { importId } = record;
  return (
    <Paper withBorder p="md" component="article" aria-label={importTitle(record)}>
      <Stack gap="xs">
        <Group gap="xs">
          <StateBadge state={record.state} />
          <AnchorLink to="/imports/$importId" params={{ importId }} fw={600} underline="always">
            <bdi>{importTitle(record)}</bdi>
          </AnchorLink>
          <Text size="sm" c="dimmed" component="div">
            sent by {principalName(record.principal)}
            {record.startedAt && (
              <>
                , <When at={record.startedAt} />
              </>
            )}
            {record.heldUntil && (
              <>
                . Held until <When at={record.heldUntil} absolute />
              </>
            )}
          </Text>
        </Group>
        {record.refusals.map((refusal) => (
          <Text key={refusal.code} size="sm">
            {plainWords(refusal.message)}
          </Text>
        ))}
        <Outcomes record={record} />
        <Decisions record={record} />
      </Stack>
    </Paper>
  );
}

/** What the caller may decide, and what is missing for the rest. */
export function Decisions({ record }: { readonly record: Import }) {
  const session = useSession();
  const { may } = session;
  const { importId } = record;
  const lack = approvalLack(record, session);
  return (
    <>
      {(may('users.approve') || may('users.import')) && (
        <Group gap="xs">
          {may('users.approve') && (
            <ButtonLink to="/imports/$importId" params={{ importId }} size="xs">
              Review
            </ButtonLink>
          )}
          {mayApprove(lack) && (
            <ButtonLink
              to="/imports/$importId"
              params={{ importId }}
              search={{ approve: true }}
              size="xs"
              variant="default"
            >
              Approve
            </ButtonLink>
          )}
          <DiscardButton record={record} size="xs" />
        </Group>
      )}
      <Lacking needs="users.approve" action="review and approve it" />
      <Lacking needs="users.import" action="approve or discard it" />
      {lack.permissions.includes('users.deactivate') && (
        <Lacking needs="users.deactivate" action="approve it" />
      )}
      {lack.isOwn && (
        <Text size="sm" c="dimmed">
          {OTHER_CREDENTIAL}
        </Text>
      )}
    </>
  );
}
