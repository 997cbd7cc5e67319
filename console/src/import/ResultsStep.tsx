import { Button, Group, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import type { ImportSummary } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { DeactivatedUsers } from '~/review/DeactivatedUsers';
import { ImportWarnings } from '~/review/ImportWarnings';
import { Refusals } from '~/review/Refusals';
import type { ResultStore } from '~/review/ResultStore';
import { ReviewTable } from '~/review/ReviewTable';
import { SummaryCounts } from '~/review/SummaryCounts';
import { useResults } from '~/review/useResults';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { plural } from '~/shared/time';

import { ErrorFileButton } from './ErrorFileButton';
import { FollowUp } from './FollowUp';
import { HowItEnded } from './HowItEnded';
import { MissingFile } from './MissingFile';
import { RunProgress } from './RunProgress';
import { ReviewAgainButton, StepBar } from './StepBar';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';
import { StopButton } from './StopButton';

export function ResultsStep({ session, state }: StepProps) {
  const { may } = useSession();
  const { draft, results, running, problem, sent, file } = state;
  const isRunning = running === 'apply';
  return (
    <>
      <StepHeading title="Results">
        {isRunning ? 'You may leave this page: the import goes on without it.' : 'What became of the import.'}
      </StepHeading>
      {problem && (
        <Failure
          problem={problem}
          title="The import did not go through"
          nextStep="Whatever was written is in the history of imports. Look at the review again to go on."
          onRetry={() => session.runs.reviewAgain()}
        />
      )}
      {problem && !file && <MissingFile session={session} state={state} />}
      {isRunning && (
        <RunProgress title="Importing" store={results} sent={sent} size={draft.file?.size ?? 0}>
          <StopButton session={session} />
        </RunProgress>
      )}
      {results && <Results session={session} state={state} store={results} />}
      {running === 'nothing' && (
        <StepBar>
          <Group gap="xs">
            {may('users.read') && (
              <Button component={Link} to="/users" variant="default">
                See the users
              </Button>
            )}
          </Group>
          <Group gap="xs">
            {canReviewAgain(results?.summary, problem !== undefined) && (
              <ReviewAgainButton onClick={() => session.runs.reviewAgain()} />
            )}
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => void session.startOver()}>
              Import another file
            </Button>
          </Group>
        </StepBar>
      )}
    </>
  );
}

/** Whether the import did not go through, so that the same file may be tried again. */
export function canReviewAgain(summary: ImportSummary | undefined, hasFailed: boolean): boolean {
  return summary ? summary.state !== ImportState.COMPLETED : hasFailed;
}

function Results({ session, state, store }: StepProps & { readonly store: ResultStore }) {
  useResults(store);
  const { summary } = store;
  const isRunning = state.running === 'apply';
  if (!summary) {
    return isRunning ? null : <Text size="sm">{plural(store.count, 'row')} reported so far.</Text>;
  }
  return (
    <Stack gap="md">
      <HowItEnded summary={summary} />
      <SummaryCounts counts={summary} />
      <Refusals refusals={summary.refusals}>
        {summary.state === ImportState.REFUSED
          ? 'Nothing was written.'
          : 'What was written before stays. The history of imports has it.'}
      </Refusals>
      <ImportWarnings warnings={summary.warnings} />
      <FollowUp session={session} state={state} />
      <DeactivatedUsers store={store} isPlanned={false} />
      <ReviewTable store={store} label="Rows of the file">
        {summary.rejected > 0 && <ErrorFileButton session={session} state={state} store={store} />}
      </ReviewTable>
    </Stack>
  );
}
