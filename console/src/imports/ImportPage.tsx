import { useQuery } from '@connectrpc/connect-query';
import { Alert, Button, Group, Stack } from '@mantine/core';
import { IconArrowBackUp, IconArrowLeft } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { ImportService, type Import } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { IfPermitted } from '~/shared/IfPermitted';
import { Lacking } from '~/shared/Lacking';
import { AnchorLink } from '~/shared/links';
import { Loading } from '~/shared/Loading';
import { StateBadge } from '~/shared/outcomes';
import { PageHeader } from '~/shared/PageHeader';
import { principalName } from '~/shared/people';
import { When } from '~/shared/When';

import { DiscardButton, StopButton } from './DiscardButton';
import { HeldReview } from './HeldReview';
import { ImportRecord } from './ImportRecord';
import { ImportResults } from './ImportResults';
import { importTitle, isRunning, shortId } from './importWords';
import { approvalEnd } from './recordAfter';
import { UndoPanel } from './UndoPanel';

/** One import: what it did or would do, and what can be done about it. */
export function ImportPage() {
  const { importId } = useParams({ from: '/shell/imports/$importId' });
  return (
    <>
      <AnchorLink to="/imports">
        <IconArrowLeft size={14} aria-hidden /> Imports
      </AnchorLink>
      <IfPermitted needs="users.read" action="see imports" heading="Import">
        <KnownImport key={importId} importId={importId} />
      </IfPermitted>
    </>
  );
}

function KnownImport({ importId }: { readonly importId: string }) {
  const { organization } = useSession();
  const { approve, undo } = useSearch({ from: '/shell/imports/$importId' });
  const navigate = useNavigate({ from: '/imports/$importId' });
  const [isApproving, setApproving] = useState(false);
  const [approvalProblem, setApprovalProblem] = useState<Problem>();
  const onApproving = useCallback((now: boolean, problem?: Problem) => {
    setApproving(now);
    setApprovalProblem(problem);
  }, []);
  const query = useQuery(
    ImportService.method.getImport,
    { organization, importId },
    {
      refetchInterval: ({ state }) =>
        isRunning(state.data?.importRecord?.state ?? ImportState.UNSPECIFIED) ? 5_000 : false,
    },
  );
  const leaveUndo = useCallback(() => void navigate({ search: {} }), [navigate]);
  if (query.isPending) {
    return <Loading label="Reading the import" />;
  }
  const record = query.data?.importRecord;
  if (!record) {
    return (
      <>
        <PageHeader title="Import" />
        <Failure
          problem={problemOf(query.error)}
          title="The import cannot be shown"
          onRetry={() => void query.refetch()}
        />
      </>
    );
  }
  const isHeld = record.state === ImportState.HELD || isApproving;
  return (
    <>
      <ImportHeader record={record} isUndoing={undo === true} />
      <Stack gap="lg">
        <LackingForRecord record={record} />
        <UndoLinks record={record} />
        {undo === true && <UndoPanel record={record} onCancel={leaveUndo} />}
        {isHeld && (
          <IfPermitted needs="users.approve" action="review and approve held imports">
            <HeldReview record={record} isToApprove={approve === true} onApproving={onApproving} />
          </IfPermitted>
        )}
        {!isHeld && approvalProblem && <Failure problem={approvalProblem} {...approvalEnd(record.state)} />}
        {!isHeld && undo !== true && <ImportResults record={record} />}
        <ImportRecord record={record} />
      </Stack>
    </>
  );
}

function ImportHeader({ record, isUndoing }: { readonly record: Import; readonly isUndoing: boolean }) {
  const { may } = useSession();
  const { importId, state } = record;
  return (
    <PageHeader
      title={importTitle(record)}
      description={
        <Group gap="xs">
          <StateBadge state={state} validateOnly={record.validateOnly} undone={record.undoneBy !== ''} />
          <span>
            sent by {principalName(record.principal)}
            {record.startedAt && (
              <>
                , <When at={record.startedAt} />
              </>
            )}
          </span>
        </Group>
      }
    >
      {state === ImportState.APPLYING && <StopButton record={record} />}
      {state === ImportState.HELD && <DiscardButton record={record} />}
      {record.undoableUntil && may('users.import') && !isUndoing && <UndoLink importId={importId} />}
    </PageHeader>
  );
}

/** What the caller could do about the import with another permission. */
function LackingForRecord({ record: { state, undoableUntil } }: { readonly record: Import }) {
  return (
    <>
      {state === ImportState.APPLYING && <Lacking needs="users.import" action="stop this import" />}
      {state === ImportState.HELD && <Lacking needs="users.import" action="approve or discard this import" />}
      {undoableUntil && <Lacking needs="users.import" action="undo this import" />}
    </>
  );
}

function UndoLink({ importId }: { readonly importId: string }) {
  const navigate = useNavigate();
  return (
    <Button
      variant="default"
      leftSection={<IconArrowBackUp size={16} aria-hidden />}
      onClick={() =>
        void navigate({ to: '/imports/$importId', params: { importId }, search: { undo: true } })
      }
    >
      Undo
    </Button>
  );
}

/** The way from an import to its undo, and back. */
function UndoLinks({ record }: { readonly record: Import }) {
  const { undoes, undoneBy } = record;
  if (!undoes && !undoneBy) {
    return null;
  }
  const link = (importId: string) => (
    <AnchorLink to="/imports/$importId" params={{ importId }} underline="always">
      import {shortId(importId)}
    </AnchorLink>
  );
  return (
    <Alert color="gray" icon={<IconArrowBackUp aria-hidden />}>
      {undoes && <>This is the undo of {link(undoes)}. </>}
      {undoneBy && <>It was undone by {link(undoneBy)}.</>}
    </Alert>
  );
}
