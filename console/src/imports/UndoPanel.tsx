import { Alert, Button, Paper, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { IconUserQuestion } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import type { Problem } from '~/api/problem';
import { imports } from '~/api/transport';
import { type Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState, type Refusal } from '~/gen/userimport/v1/types_pb';
import { ConfirmForm } from '~/review/ConfirmForm';
import { Refusals } from '~/review/Refusals';
import { useResults } from '~/review/useResults';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { AnchorLink } from '~/shared/links';
import { newId } from '~/shared/newId';
import { plural } from '~/shared/time';

import { skippingResults } from './followResults';
import { plannedCounts } from './plannedCounts';
import { hasUndone, undoEnd, type StateAfter } from './recordAfter';
import { ReviewParts } from './ReviewParts';
import { StreamState } from './StreamState';
import { useFollowed, type Followed } from './useFollowed';
import { useStateAfter } from './useStateAfter';

interface UndoPanelProps {
  readonly record: Import;
  readonly onCancel: () => void;
}

/** What the undo of an import would do, the decision, and how it goes. */
export function UndoPanel({ record, onCancel }: UndoPanelProps) {
  const { organization, may } = useSession();
  const [round, setRound] = useState(1);
  const [allowed, setAllowed] = useState<number>();
  // One undo has one ID, whatever becomes of the connection.
  const [undoId, setUndoId] = useState<string>();
  const { importId } = record;
  const asked = {
    organization,
    importId,
    includeValues: may('users.read'),
    ...(allowed !== undefined && { maxDeactivations: allowed }),
  };
  const review = useFollowed({
    key: `review ${importId} ${round} ${allowed ?? ''}`,
    open: (_, signal) => imports.undoImport({ ...asked, validateOnly: true }, { signal }),
    restarts: true,
  });
  const expectedPlanDigest = review.store.summary?.planDigest ?? new Uint8Array();
  const undo = useFollowed({
    key: undoId,
    open: (after, signal) =>
      skippingResults(
        imports.undoImport({ ...asked, undoId: undoId ?? '', expectedPlanDigest }, { signal }),
        after,
      ),
    resumes: true,
    reviewed: review.store,
  });
  useUndoEnd(undo, undoId);
  const after = useStateAfter(undo, undoId);
  if (undoId !== undefined && after === undefined) {
    return (
      <Stack gap="md">
        <Title order={2} size="h5">
          Undoing
        </Title>
        <StreamState followed={undo} />
        <ReviewParts store={undo.store} isPlanned={false} title="Results" />
      </Stack>
    );
  }
  const again = () => {
    setUndoId(undefined);
    setRound(round + 1);
  };
  return undo.problem && after !== undefined && undoId !== undefined ? (
    <UndoFailure problem={undo.problem} after={after} undoId={undoId} onAgain={again} />
  ) : (
    <UndoReview
      review={review}
      onAgain={again}
      onAllow={setAllowed}
      onCancel={onCancel}
      onConfirm={() => setUndoId(newId())}
    />
  );
}

interface UndoFailureProps {
  readonly problem: Problem;
  readonly after: StateAfter;
  readonly undoId: string;
  readonly onAgain: () => void;
}

/** Says how an undo ended that met with a problem, and leads to its record if it has written. */
function UndoFailure({ problem, after, undoId, onAgain }: UndoFailureProps) {
  return hasUndone(after) ? (
    <Stack gap="xs" align="flex-start">
      <Failure problem={problem} {...undoEnd(after)} />
      <AnchorLink to="/imports/$importId" params={{ importId: undoId }} underline="always">
        See what the undo has done
      </AnchorLink>
    </Stack>
  ) : (
    <Failure problem={problem} {...undoEnd(after)} retryLabel="Review again" onRetry={onAgain} />
  );
}

/** Shows the undo's own record once it is done. */
function useUndoEnd({ hasEnded, problem }: Followed, undoId: string | undefined): void {
  const queries = useQueryClient();
  const navigate = useNavigate();
  useEffect(() => {
    if (hasEnded && problem === undefined && undoId !== undefined) {
      void queries.invalidateQueries();
      void navigate({ to: '/imports/$importId', params: { importId: undoId } });
    }
  }, [hasEnded, problem, undoId, queries, navigate]);
}

interface UndoReviewProps {
  readonly review: Followed;
  readonly onAgain: () => void;
  /** Allows so many users to become Inactive. */
  readonly onAllow: (deactivations: number) => void;
  readonly onCancel: () => void;
  readonly onConfirm: () => void;
}

const leftAlone = (count: number) => `${plural(count, 'user is', 'users are')} left alone`;

function UndoReview({ review, onAgain, onAllow, onCancel, onConfirm }: UndoReviewProps) {
  const { store, hasEnded, problem } = review;
  useResults(store);
  const { summary } = store;
  if (!hasEnded) {
    return <StreamState followed={review} />;
  }
  if (!summary) {
    return problem ? (
      <Failure problem={problem} title="The import cannot be undone" onRetry={onAgain} />
    ) : null;
  }
  const counts = plannedCounts(store);
  const isRefused = summary.state === ImportState.REFUSED;
  const allow = ({ code }: Refusal) =>
    code === 'MASS_DEACTIVATION' && (
      <Button size="xs" variant="light" color="red" onClick={() => onAllow(counts.deactivated)}>
        Allow {plural(counts.deactivated, 'deactivation')}
      </Button>
    );
  return (
    <Stack gap="md">
      <Refusals refusals={summary.refusals} title="This undo is refused" action={allow} />
      {summary.rejected > 0 && (
        <Alert color="yellow" icon={<IconUserQuestion aria-hidden />} title={leftAlone(summary.rejected)}>
          They have been changed since, or another user has their values by now. The rejected rows say why,
          and by which import.
        </Alert>
      )}
      <ReviewParts store={store} isPlanned title="What the undo would do" />
      {!isRefused && (
        <Paper withBorder p="md">
          <Title order={2} size="h5" mb="xs">
            Undo this import
          </Title>
          <ConfirmForm
            verb="Undo"
            counts={counts}
            onConfirm={onConfirm}
            onCancel={onCancel}
            cancelLabel="Leave the import as it is"
          >
            <Text size="sm">
              Users get back what the import changed, and users whom it created become Inactive. A user who
              has been changed since is left alone; the rows above say by which import.
            </Text>
          </ConfirmForm>
        </Paper>
      )}
    </Stack>
  );
}
