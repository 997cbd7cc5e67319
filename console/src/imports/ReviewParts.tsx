import { Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { Consequences } from '~/review/Consequences';
import { DeactivatedUsers } from '~/review/DeactivatedUsers';
import { ImportWarnings } from '~/review/ImportWarnings';
import type { ResultStore } from '~/review/ResultStore';
import { ReviewTable } from '~/review/ReviewTable';
import { SummaryCounts } from '~/review/SummaryCounts';
import { useResults } from '~/review/useResults';

interface ReviewPartsProps {
  readonly store: ResultStore;
  /** True: nothing has been written yet. */
  readonly isPlanned: boolean;
  /** Heading of the table. */
  readonly title: string;
  /** Stands after the counts. */
  readonly children?: ReactNode;
}

/** What a plan or an import does: counts, consequences, users who are deactivated, and all rows. */
export function ReviewParts({ store, isPlanned, title, children }: ReviewPartsProps) {
  useResults(store);
  const { summary } = store;
  return (
    <Stack gap="md">
      {summary && <SummaryCounts counts={summary} />}
      {children}
      {summary && <ImportWarnings warnings={summary.warnings} />}
      {summary && isPlanned && <Consequences consequences={summary.consequences} />}
      <DeactivatedUsers store={store} isPlanned={isPlanned} />
      {store.count > 0 && (
        <section aria-labelledby="rows">
          <Title order={2} size="h5" id="rows" mb="xs">
            {title}
          </Title>
          <ReviewTable store={store} />
        </section>
      )}
    </Stack>
  );
}
