import { Alert, Text } from '@mantine/core';
import { IconPencilCheck } from '@tabler/icons-react';

import { Failure } from '~/shared/Failure';
import { plural } from '~/shared/time';

import { MOST_CORRECTIONS } from './CorrectedRows';
import type { StepProps } from './StepProps';

/** Says what becomes of the rows that were corrected here. */
export function CorrectionsSummary({ session, state }: StepProps) {
  const { judgingProblem, draft, review } = state;
  const { corrections } = draft;
  const rejected = review?.summary?.rejected ?? 0;
  return (
    <>
      {judgingProblem && (
        <Failure
          problem={judgingProblem}
          title="Rows cannot be corrected here just now"
          nextStep="Nothing was written. The rejected rows can be corrected in the file, too."
          onRetry={() => void session.corrected.begin()}
        />
      )}
      {rejected > MOST_CORRECTIONS && (
        <Text size="sm">
          The first {plural(MOST_CORRECTIONS, 'rejected row')} can be corrected here. Download the rejected
          rows to correct all {rejected.toLocaleString('en-GB')}.
        </Text>
      )}
      {corrections.length > 0 && (
        <Alert
          color="blue"
          icon={<IconPencilCheck aria-hidden />}
          title={`${plural(corrections.length, 'row')} corrected, ${session.corrected.standing().toLocaleString('en-GB')} would stand`}
        >
          <Text size="sm">
            They are imported on their own, right after the file. They are judged together with the rows of
            the file that they name, such as a new supervisor. The file on your computer stays as it is.
          </Text>
        </Alert>
      )}
    </>
  );
}
