import { Alert, Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconInfoCircle, IconPencilCheck } from '@tabler/icons-react';

import { ImportState } from '~/gen/userimport/v1/types_pb';
import { ConfirmForm } from '~/review/ConfirmForm';
import { Refusals } from '~/review/Refusals';
import { ReviewTable } from '~/review/ReviewTable';
import { ActionAlert } from '~/shared/ActionAlert';
import { Failure } from '~/shared/Failure';
import { countsInWords } from '~/shared/outcomes';
import { plural } from '~/shared/time';

import { countsOf, planOf } from './rowsPlan';
import type { StepProps } from './StepProps';

/** What became of the rows that were corrected in the review. Nothing if there were none. */
export function FollowUp({ session, state }: StepProps) {
  const { followUp, followUpProblem, results, running, draft } = state;
  const standing = followUp ? followUp.count - followUp.counts().rejected : 0;
  const { corrections } = draft;
  if (corrections.length === 0) {
    return null;
  }
  const rows = plural(corrections.length, 'row');
  return (
    <Stack gap="xs" component="section" aria-labelledby="corrected-title">
      <Title order={3} size="h5" id="corrected-title">
        Rows that you corrected
      </Title>
      <div role="status">
        {running === 'follow-up' && (
          <Group gap="xs">
            <Loader size="xs" aria-hidden />
            <Text size="sm">Judging and importing the {rows} that you corrected…</Text>
          </Group>
        )}
        {followUp && (
          <Alert
            color="green"
            icon={<IconPencilCheck aria-hidden />}
            title={`${plural(standing, 'row')} imported on their own`}
          >
            <Text size="sm">
              {countsInWords(followUp.counts())}. The history of imports has them as an import of their own,
              which can be undone on its own.
            </Text>
          </Alert>
        )}
      </div>
      {followUpProblem && (
        <Failure
          problem={followUpProblem}
          title="The corrected rows were not imported"
          nextStep="The file has been imported. The corrected rows are kept here."
          onRetry={() => void session.followUp.apply()}
        />
      )}
      <AskAgain session={session} state={state} />
      {running === 'nothing' && results?.summary && results.summary.state !== ImportState.COMPLETED && (
        <Text size="sm">
          {corrections.length === 1 ? 'It was' : 'They were'} not imported, as the import of the file did not
          reach its end. The corrections are kept for the next review.
        </Text>
      )}
      {followUp?.summary && <Refusals refusals={followUp.summary.refusals} />}
      {followUp && (
        <ReviewTable
          store={followUp}
          label="Corrected rows"
          maxHeight={320}
          extras={{ valuesOf: ({ row }) => session.corrected.values(row) }}
        />
      )}
    </Stack>
  );
}

/** Says that the corrected rows were left out, as they would do something else than was confirmed, and asks once more. */
function AskAgain({ session, state }: StepProps) {
  const { followUpDiffers, rejudged } = state;
  if (rejudged) {
    return (
      <>
        <ReviewTable
          store={rejudged}
          label="What the corrected rows would do"
          maxHeight={320}
          extras={{ valuesOf: ({ row }) => session.corrected.values(row) }}
        />
        <ConfirmForm
          verb="Import the corrected rows"
          counts={countsOf(planOf(rejudged))}
          onConfirm={() => void session.followUp.confirm()}
          onCancel={() => session.followUp.askAgain()}
        />
      </>
    );
  }
  return (
    followUpDiffers && (
      <ActionAlert
        color="orange"
        icon={<IconInfoCircle aria-hidden />}
        title="The corrected rows were not imported"
        actions={
          <Button size="xs" variant="default" onClick={() => void session.followUp.judgeAgain()}>
            Judge them again
          </Button>
        }
      >
        <Text size="sm">
          After the import of the file they would do something else than you confirmed, or you signed in again
          meanwhile, so nothing of them was written. They are kept here.
        </Text>
      </ActionAlert>
    )
  );
}
