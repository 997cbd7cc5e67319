import type { ErrorComponentProps } from '@tanstack/react-router';

import { problemOf } from '~/api/problem';
import { Failure } from '~/shared/Failure';
import { PageHeader } from '~/shared/PageHeader';

/** Stands in the place of a screen that failed. The rest of the page goes on. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHeader title="This screen cannot be shown" />
      <Failure
        problem={problemOf(error)}
        title="Something failed in this screen"
        nextStep="Nothing was changed. If the server was updated meanwhile, load the page again."
        onRetry={reset}
      />
    </>
  );
}
