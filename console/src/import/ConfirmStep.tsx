import { Alert, List, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';

import { MatchBy } from '~/gen/userimport/v1/import_service_pb';
import { ConfirmForm } from '~/review/ConfirmForm';
import { Consequences } from '~/review/Consequences';
import { Value } from '~/review/text';
import { useResults } from '~/review/useResults';
import type { ResultStore } from '~/review/ResultStore';
import { plural } from '~/shared/time';

import { MissingFile } from './MissingFile';
import { ReviewFailure } from './ReviewFailure';
import { RunProgress } from './RunProgress';
import { countsOf, planOf } from './rowsPlan';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';

export function ConfirmStep({ session, state }: StepProps) {
  const { review, draft, sent, file } = state;
  return (
    <>
      <StepHeading title="Confirm">What you have reviewed is imported, and nothing else.</StepHeading>
      {!file && !review?.summary && <MissingFile session={session} state={state} />}
      <ReviewFailure session={session} state={state} />
      {state.running === 'review' && (
        <RunProgress title="Reviewing" store={review} sent={sent} size={draft.file?.size ?? 0} />
      )}
      {review && <Question session={session} state={state} store={review} />}
    </>
  );
}

function Question({ session, state, store }: StepProps & { readonly store: ResultStore }) {
  useResults(store);
  const { summary } = store;
  const { draft } = state;
  if (!summary || state.running === 'review' || !session.corrected.isJudged()) {
    return null;
  }
  const judged = state.judged && planOf(state.judged);
  const corrected = judged && countsOf(judged);
  const { created, updated, rejected, goingInactive } = summary;
  const { choices, corrections } = draft;
  const changesNothing = created + updated + goingInactive === 0;
  return (
    <ConfirmForm
      verb="Import"
      counts={{ created, updated, deactivated: goingInactive }}
      {...(corrected && { corrected })}
      onConfirm={(confirmation) => session.runs.apply(confirmation)}
      onCancel={() => session.goTo('review')}
      cancelLabel="Back to the review"
    >
      {changesNothing && (
        <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title="This file changes nothing">
          <Text size="sm">
            {corrections.length > 0
              ? 'Only the rows that you corrected change something. They are imported after the file.'
              : 'All of its rows are unchanged or rejected. You may import it all the same: the history then says so.'}
          </Text>
        </Alert>
      )}
      <List size="sm" spacing={4}>
        <List.Item>
          From <Value>{draft.file?.name ?? ''}</Value>: {plural(created, 'new user')},{' '}
          {plural(updated, 'changed user')}, {plural(summary.unchanged, 'unchanged row')}.
        </List.Item>
        {rejected > 0 && (
          <List.Item>
            {plural(rejected, 'row is', 'rows are')} rejected and left out.
            {corrections.length > 0 &&
              ` ${plural(corrections.length, 'of them was', 'of them were')} corrected by you: these rows are imported right after the file, as an import of their own.`}
          </List.Item>
        )}
        {corrected && corrected.deactivated > 0 && (
          <List.Item>
            The rows that you corrected make {plural(corrected.deactivated, 'Active user', 'Active users')}{' '}
            Inactive.
          </List.Item>
        )}
        {goingInactive > 0 && (
          <List.Item>
            {plural(goingInactive, 'Active user becomes', 'Active users become')} Inactive
            {summary.deactivated > 0 &&
              `, ${summary.deactivated.toLocaleString('en-GB')} of them because not listed in the file`}
            .
          </List.Item>
        )}
        {choices.allOrNothing && (
          <List.Item>All or nothing: if one row fails, nothing is imported.</List.Item>
        )}
        {choices.matchBy !== MatchBy.UNSPECIFIED && (
          <List.Item>Users are also matched by {matchWord(choices.matchBy)}.</List.Item>
        )}
        <List.Item>
          If the directory changes before it is imported so that the result would differ, nothing is written,
          and you review again.
        </List.Item>
        <List.Item>You can undo the import afterwards.</List.Item>
      </List>
      <Consequences consequences={summary.consequences} />
    </ConfirmForm>
  );
}

function matchWord(matchBy: MatchBy): string {
  return { [MatchBy.EMAIL]: 'email', [MatchBy.BADGE_NUMBER]: 'badge number', [MatchBy.USERNAME]: 'username' }[
    matchBy as Exclude<MatchBy, MatchBy.UNSPECIFIED>
  ];
}
