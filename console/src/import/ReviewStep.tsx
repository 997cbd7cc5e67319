import { Alert, Group, Stack, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';

import { ImportState } from '~/gen/userimport/v1/types_pb';
import { Consequences } from '~/review/Consequences';
import { DeactivatedUsers } from '~/review/DeactivatedUsers';
import { ImportWarnings } from '~/review/ImportWarnings';
import { Refusals } from '~/review/Refusals';
import type { ResultStore } from '~/review/ResultStore';
import { ReviewTable } from '~/review/ReviewTable';
import { SummaryCounts } from '~/review/SummaryCounts';
import { useResults } from '~/review/useResults';
import { plural } from '~/shared/time';

import { CorrectionsSummary } from './CorrectionsSummary';
import { ErrorFileButton } from './ErrorFileButton';
import { MissingFile } from './MissingFile';
import { RefusalAction } from './RaiseLimit';
import { ReviewFailure } from './ReviewFailure';
import { RunProgress } from './RunProgress';
import { BackButton, NextButton, ReviewAgainButton, StepBar } from './StepBar';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';
import { useCorrections } from './useCorrections';

export function ReviewStep({ session, state }: StepProps) {
  const { draft, file, review, running, sent } = state;
  const size = draft.file?.size ?? 0;
  const isRunning = running === 'review';
  return (
    <>
      <StepHeading title="Review">This is what the import would do. Nothing has been written.</StepHeading>
      {draft.notice !== '' && (
        <Alert color="blue" icon={<IconInfoCircle aria-hidden />} title="Reviewed again" role="status">
          {draft.notice}
        </Alert>
      )}
      {!file && !review?.summary && <MissingFile session={session} state={state} />}
      <ReviewFailure session={session} state={state} />
      {isRunning && <RunProgress title="Reviewing" store={review} sent={sent} size={size} />}
      {review && <Reviewed session={session} state={state} store={review} />}
      <ReviewBar session={session} state={state} />
    </>
  );
}

function Reviewed({ session, state, store }: StepProps & { readonly store: ResultStore }) {
  useResults(store);
  const extras = useCorrections(session, state);
  const { summary } = store;
  if (!summary) {
    return null;
  }
  return (
    <Stack gap="md">
      <SummaryCounts counts={summary} />
      {summary.protectedSkipped > 0 && (
        <Text size="sm">
          {plural(summary.protectedSkipped, 'user')} not listed{' '}
          {summary.protectedSkipped === 1 ? 'stays' : 'stay'} Active, because protected.
        </Text>
      )}
      <Refusals
        refusals={summary.refusals}
        title="The server would refuse this import"
        action={(refusal) => <RefusalAction session={session} summary={summary} refusal={refusal} />}
      />
      <ImportWarnings warnings={summary.warnings} />
      <Consequences consequences={summary.consequences} />
      <DeactivatedUsers store={store} isPlanned />
      <CorrectionsSummary session={session} state={state} />
      <ReviewTable
        store={store}
        label="Rows of the file"
        initialTab={summary.rejected > 0 ? 'rejected' : 'all'}
        extras={extras}
      >
        {summary.rejected > 0 && <ErrorFileButton session={session} state={state} store={store} />}
      </ReviewTable>
    </Stack>
  );
}

function ReviewBar({ session, state }: StepProps) {
  const { review, running } = state;
  const summary = running === 'review' ? undefined : review?.summary;
  const isJudged = session.corrected.isJudged();
  const isWaiting = summary !== undefined && !isJudged;
  const isRefused = summary !== undefined && summary.state !== ImportState.COMPLETED;
  return (
    <StepBar>
      <Group gap="xs">
        <BackButton onClick={() => session.goTo('options')} />
        <ReviewAgainButton onClick={() => session.runs.reviewAgain()} />
      </Group>
      {isRefused ? (
        <Text size="sm" role="status">
          Refused as it is. See above what to do.
        </Text>
      ) : (
        <Group gap="sm">
          {isWaiting && (
            <Text size="sm" role="status">
              {whyNot(state.isJudging)}
            </Text>
          )}
          <NextButton isDisabled={!summary || !isJudged} onClick={() => session.goTo('confirm')} />
        </Group>
      )}
    </StepBar>
  );
}

function whyNot(isJudging: boolean): string {
  return isJudging
    ? 'The corrected rows are being judged.'
    : 'The corrected rows are not judged. Try again above, or leave them out.';
}
