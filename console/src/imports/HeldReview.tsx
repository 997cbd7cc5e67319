import { Paper, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import type { Problem } from '~/api/problem';
import { imports } from '~/api/transport';
import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { ConfirmForm } from '~/review/ConfirmForm';
import { Refusals } from '~/review/Refusals';
import { useResults } from '~/review/useResults';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';

import { approvalLack, lackInWords, mayApprove } from './approval';
import { skippingResults } from './followResults';
import { plannedCounts } from './plannedCounts';
import { approvalEnd, type StateAfter } from './recordAfter';
import { ReviewParts } from './ReviewParts';
import { StreamState } from './StreamState';
import { useFollowed, type Followed } from './useFollowed';
import { useStateAfter } from './useStateAfter';

type OnApproving = (isApproving: boolean, problem?: Problem) => void;

interface HeldReviewProps {
  readonly record: Import;
  /** True: the way here said that it is to be approved. */
  readonly isToApprove: boolean;
  /** Told when the approval begins, and when it has ended, with the problem that it met with. */
  readonly onApproving: OnApproving;
}

/** What a held import would do now, and the decision. */
export function HeldReview({ record, isToApprove, onApproving }: HeldReviewProps) {
  const { organization } = useSession();
  const queries = useQueryClient();
  const [round, setRound] = useState(1);
  const [confirmation, setConfirmation] = useState<string>();
  const { importId } = record;
  const review = useFollowed({
    key: `review ${importId} ${round}`,
    open: (_, signal) => imports.reviewImport({ organization, importId }, { signal }),
    restarts: true,
  });
  const digest = review.store.summary?.planDigest;
  const approval = useFollowed({
    key: confirmation === undefined ? undefined : `approve ${importId} ${round}`,
    open: (after, signal) => {
      const request = {
        organization,
        importId,
        expectedPlanDigest: digest ?? new Uint8Array(),
        confirmation,
      };
      return skippingResults(imports.approveImport(withoutUnset(request), { signal }), after);
    },
    resumes: true,
    reviewed: review.store,
  });
  const after = useStateAfter(approval, importId);
  useApprovalEnd(approval, after, onApproving);
  if (confirmation !== undefined && after === undefined) {
    return <Approving approval={approval} />;
  }
  const again = () => {
    if (after === 'unknown') {
      void queries.invalidateQueries();
    }
    setConfirmation(undefined);
    setRound(round + 1);
  };
  return (
    <Stack gap="md">
      {approval.problem && after !== undefined && (
        <Failure
          problem={approval.problem}
          {...approvalEnd(after)}
          retryLabel="Review again"
          onRetry={again}
        />
      )}
      {!approval.problem && (
        <Reviewed
          record={record}
          review={review}
          isToApprove={isToApprove}
          onAgain={again}
          onConfirm={(word) => {
            onApproving(true);
            setConfirmation(word);
          }}
        />
      )}
    </Stack>
  );
}

function withoutUnset<T extends { confirmation: string | undefined }>({ confirmation, ...request }: T) {
  return confirmation === undefined ? request : { ...request, confirmation };
}

/** Everything that the page knows is asked again once the approval has ended; the record then says what is shown. */
function useApprovalEnd(
  { hasEnded, problem }: Followed,
  after: StateAfter | undefined,
  onApproving: OnApproving,
): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (hasEnded && problem === undefined) {
      void queries.invalidateQueries().then(() => onApproving(false));
    } else if (after !== undefined) {
      onApproving(false, problem);
    }
  }, [hasEnded, problem, after, queries, onApproving]);
}

function Approving({ approval }: { readonly approval: Followed }) {
  return (
    <Stack gap="md">
      <Title order={2} size="h5">
        Importing
      </Title>
      <StreamState followed={approval} />
      <ReviewParts store={approval.store} isPlanned={false} title="Results" />
    </Stack>
  );
}

interface ReviewedProps {
  readonly record: Import;
  readonly review: Followed;
  readonly isToApprove: boolean;
  readonly onAgain: () => void;
  readonly onConfirm: (confirmation: string) => void;
}

function Reviewed({ record, review, isToApprove, onAgain, onConfirm }: ReviewedProps) {
  const { store, hasEnded, problem } = review;
  useResults(store);
  const { summary } = store;
  if (!summary || !hasEnded) {
    return problem ? (
      <Failure problem={problem} title="The import cannot be reviewed" onRetry={onAgain} />
    ) : (
      <StreamState followed={review} />
    );
  }
  return (
    <>
      <Refusals refusals={summary.refusals} title="Why this import is held">
        Nothing was written. If you approve the import, it is applied as shown here all the same.
      </Refusals>
      <ReviewParts store={store} isPlanned title="What each row would do" />
      <Approve
        record={record}
        review={review}
        isToApprove={isToApprove}
        onAgain={onAgain}
        onConfirm={onConfirm}
      />
    </>
  );
}

/**
 * The decision: it names the numbers, and asks for the word if users would be deactivated. If the server would refuse the
 * caller's approval, the reasons stand here.
 */
function Approve({ record, review, isToApprove, onAgain, onConfirm }: ReviewedProps) {
  const lack = approvalLack(record, useSession());
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isToApprove) {
      heading.current?.focus();
    }
  }, [isToApprove]);
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs" ref={heading} tabIndex={-1}>
        Approve
      </Title>
      {!mayApprove(lack) ? (
        lackInWords(lack).map((sentence) => (
          <Text key={sentence} size="sm">
            {sentence}
          </Text>
        ))
      ) : (
        <ConfirmForm
          verb="Approve"
          counts={plannedCounts(review.store)}
          onConfirm={onConfirm}
          onCancel={onAgain}
          cancelLabel="Review again"
        >
          <Text size="sm">
            What is applied is the plan that is shown above. If the directory has changed by then, nothing is
            written, and the import stays held.
          </Text>
        </ConfirmForm>
      )}
    </Paper>
  );
}
