import { Alert, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconPencilCheck } from '@tabler/icons-react';

import { Refusals } from '~/review/Refusals';
import { ReviewTable } from '~/review/ReviewTable';
import { Failure } from '~/shared/Failure';
import { countsInWords } from '~/shared/outcomes';
import { plural } from '~/shared/time';

import type { StepProps } from './StepProps';

/** What became of the rows that were corrected in the review. Nothing if there were none. */
export function FollowUp({ session, state }: StepProps) {
  const { followUp, followUpProblem, running, draft } = state;
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
            <Text size="sm">Importing the {rows} that you corrected…</Text>
          </Group>
        )}
        {followUp && (
          <Alert color="green" icon={<IconPencilCheck aria-hidden />} title={`${rows} imported on their own`}>
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
          onRetry={() => void session.corrected.apply()}
        />
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
