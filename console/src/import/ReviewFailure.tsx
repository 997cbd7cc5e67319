import { Failure } from '~/shared/Failure';

import type { StepProps } from './StepProps';

/** Why the import could not be reviewed. Nothing if it could. */
export function ReviewFailure({ session, state }: StepProps) {
  const { problem } = state;
  return (
    problem && (
      <Failure
        problem={problem}
        title="The import cannot be reviewed"
        nextStep="Nothing was written. Go back and change what is wrong, or try again."
        onRetry={() => session.runs.reviewAgain()}
      />
    )
  );
}
