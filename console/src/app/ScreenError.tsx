import type { ErrorComponentProps } from '@tanstack/react-router';

import { problemOf } from '~/api/problem';
import { Failure } from '~/shared/Failure';

/** Stands in the place of a screen that failed. The rest of the page goes on. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  return (
    <Failure
      problem={problemOf(error)}
      title="This screen cannot be shown"
      nextStep="Nothing was changed. If the server was updated meanwhile, load the page again."
      onRetry={reset}
    />
  );
}
