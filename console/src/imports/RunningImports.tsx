import { useQuery } from '@connectrpc/connect-query';
import { Group, Paper, Stack, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { ImportService, type Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState, type ImportProgress } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Lacking } from '~/shared/Lacking';
import { AnchorLink } from '~/shared/links';
import { StateBadge } from '~/shared/outcomes';

import { StopButton } from './DiscardButton';
import { importTitle, isRunning } from './importWords';
import { ProgressLine } from './ProgressLine';
import { watchProgress } from './watchProgress';

/** More than this are not watched at once; the history has them all. */
const WATCHED = 3;

/** The imports that are written now, live. Nothing if there is none. */
export function RunningImports() {
  const { organization } = useSession();
  const { data } = useQuery(
    ImportService.method.listImports,
    { organization, pageSize: WATCHED, state: ImportState.APPLYING },
    { refetchInterval: 2_000 },
  );
  const running = data?.imports ?? [];
  if (running.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="running">
      <Title order={2} size="h5" id="running" mb="xs">
        Running now
      </Title>
      <Stack gap="sm" mb="lg">
        {running.map((one) => (
          <RunningImport key={one.importId} record={one} />
        ))}
      </Stack>
    </section>
  );
}

function RunningImport({ record }: { readonly record: Import }) {
  const progress = useLiveProgress(record);
  const { importId } = record;
  return (
    <Paper withBorder p="md" component="article" aria-label={importTitle(record)}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap="xs" flex={1}>
          <Group gap="xs">
            <StateBadge state={record.state} />
            <AnchorLink to="/imports/$importId" params={{ importId }} fw={600}>
              <bdi>{importTitle(record)}</bdi>
            </AnchorLink>
          </Group>
          <ProgressLine progress={progress} />
          <Lacking needs="users.import" action="stop it" />
        </Stack>
        <StopButton record={record} size="xs" />
      </Group>
    </Paper>
  );
}

/** How far a running import is. Everything is asked again once it has ended. */
function useLiveProgress(record: Import): ImportProgress | undefined {
  const { organization } = useSession();
  const queries = useQueryClient();
  const [progress, setProgress] = useState(record.progress);
  const { importId, state } = record;
  useEffect(() => {
    if (!isRunning(state)) {
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    watchProgress({ organization, importId, signal, onProgress: setProgress })
      .catch(() => undefined) // The list is asked again all the same, and says what has become of it.
      .finally(() => !signal.aborted && void queries.invalidateQueries());
    return () => controller.abort();
  }, [organization, importId, state, queries]);
  return progress;
}
