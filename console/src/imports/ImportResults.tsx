import { Alert, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { IconPlayerPause, IconPlayerStop } from '@tabler/icons-react';
import { useEffect } from 'react';

import { imports } from '~/api/transport';
import { ResultFilter, type Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { Consequences } from '~/review/Consequences';
import { ImportWarnings } from '~/review/ImportWarnings';
import { Refusals } from '~/review/Refusals';
import { hasWritten, restInWords } from '~/review/stoppedWords';
import { SummaryCounts } from '~/review/SummaryCounts';
import { useResults } from '~/review/useResults';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';

import { isRunning } from './importWords';
import { ReviewParts } from './ReviewParts';
import { StreamState } from './StreamState';
import { useFollowed } from './useFollowed';

/** What an import did, live while it runs. */
export function ImportResults({ record }: { readonly record: Import }) {
  const { organization } = useSession();
  const queries = useQueryClient();
  const { importId, state } = record;
  const followed = useFollowed({
    key: importId,
    open: (afterResult, signal) =>
      imports.watchImport(
        { organization, importId, afterResult, resultFilter: ResultFilter.ALL },
        { signal },
      ),
  });
  const { store, hasEnded, problem } = followed;
  useResults(store);
  const wasRunning = isRunning(state);
  useEffect(() => {
    if (hasEnded && wasRunning) {
      void queries.invalidateQueries();
    }
  }, [hasEnded, wasRunning, queries]);
  const { summary } = store;
  return (
    <Stack gap="md">
      {(wasRunning || followed.trouble) && <StreamState followed={followed} />}
      <Refusals refusals={record.refusals} title={REFUSED[state] ?? 'This import was refused'} />
      {state === ImportState.INTERRUPTED && <Interrupted />}
      {state === ImportState.CANCELLED && <Cancelled record={record} />}
      {summary ? (
        <ReviewParts
          store={store}
          isPlanned={record.validateOnly || state === ImportState.REFUSED}
          title="Results"
        />
      ) : (
        <>
          {/* The record has these also if the results are not kept any more. */}
          {hasEnded && <SummaryCounts counts={record} />}
          {hasEnded && <ImportWarnings warnings={record.warnings} />}
          {hasEnded && <Consequences consequences={record.consequences} />}
          <ReviewParts store={store} isPlanned={false} title="Results" />
        </>
      )}
      {problem && !summary && <Failure problem={problem} title="The results cannot be shown" />}
      {hasEnded && store.count === 0 && record.rows > 0 && (
        <Text size="sm">The results of the rows are not kept: the counts are.</Text>
      )}
    </Stack>
  );
}

const REFUSED: Partial<Record<ImportState, string>> = {
  [ImportState.INTERRUPTED]: 'Why this import does not go on',
};

function Interrupted() {
  return (
    <Alert color="yellow" icon={<IconPlayerPause aria-hidden />} title="This import stopped before its end">
      What was written stays. Its sender can send the same file again under the same ID to go on where it
      stopped, unless another import has begun since; or it can be undone.
    </Alert>
  );
}

function Cancelled({ record }: { readonly record: Import }) {
  return (
    <Alert color="gray" icon={<IconPlayerStop aria-hidden />} title="This import was stopped">
      {restInWords(record)}
      {hasWritten(record) &&
        (record.undoes === ''
          ? ' Import the same file again to bring in the rest: rows that were written are unchanged then. Or undo this import.'
          : ' Undo the other import again to give back the rest: what was given back already is unchanged then.')}
    </Alert>
  );
}
