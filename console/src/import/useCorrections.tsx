// What the review adds to rejected rows: the suggestion as a button, and a form to correct the row.

import { Button, Group, Text } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useMemo } from 'react';

import { IssueCode, RowOutcome } from '~/gen/userimport/v1/types_pb';
import type { RowIssue } from '~/review/issues';
import type { ReviewedRow } from '~/review/ResultStore';
import type { RowExtras } from '~/review/ReviewRow';
import { visibleText } from '~/review/text';

import { CorrectedRow } from './CorrectedRow';
import { focusRow, rowMark } from './focusRow';
import type { ImportSession } from './ImportSession';
import { useOpenForms } from './openForms';
import type { SessionState } from './sessionState';

/** The actions of the rows; others when a row was corrected or judged. */
export function useCorrections(session: ImportSession, state: SessionState): RowExtras {
  const { corrections } = state.draft;
  const { judged, isJudging, review } = state;
  const forms = useOpenForms();
  return useMemo(() => {
    const canCorrect = (row: ReviewedRow) =>
      row.outcome === RowOutcome.REJECTED && session.corrected.values(row.row) !== undefined;
    return {
      valuesOf: (row) =>
        corrections.some((one) => one.row === row.row) ? session.corrected.values(row.row) : undefined,
      issueActions: (row, issue) =>
        canCorrect(row) && !corrections.some((one) => one.row === row.row) ? (
          <IssueActions session={session} row={row} issue={issue} />
        ) : null,
      beneath: (row) => {
        if (row.outcome !== RowOutcome.REJECTED) {
          return null;
        }
        if (!canCorrect(row)) {
          return (
            review?.summary && (
              <Text size="xs" c="dimmed">
                This row can be corrected in the file, or in the file of rejected rows.
              </Text>
            )
          );
        }
        return forms.isOpen(row.row) || corrections.some((one) => one.row === row.row) ? (
          <CorrectedRow
            key={row.row}
            session={session}
            row={row}
            judged={judged}
            isJudging={isJudging}
            forms={forms}
          />
        ) : (
          <Group {...rowMark(row.row)}>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconPencil size={12} aria-hidden />}
              onClick={() => forms.set(row.row, true)}
              aria-label={`Correct row ${row.row}`}
            >
              Correct this row
            </Button>
          </Group>
        );
      },
    };
  }, [session, corrections, judged, isJudging, review, forms]);
}

interface IssueActionsProps {
  readonly session: ImportSession;
  readonly row: ReviewedRow;
  readonly issue: RowIssue;
}

function IssueActions({ session, row, issue }: IssueActionsProps) {
  const { column, suggestion } = issue;
  const correct = (action: () => void) => {
    action();
    // This button is gone then.
    focusRow(row.row);
  };
  if (issue.code === IssueCode.DEPENDS_ON_REJECTED_ROW) {
    return (
      <Button
        size="compact-xs"
        variant="light"
        onClick={() => correct(() => session.corrected.take([row.row]))}
        aria-label={`Import row ${row.row} with the corrected rows`}
      >
        Import it with the corrected rows
      </Button>
    );
  }
  if (suggestion === '' || column === '') {
    return null;
  }
  const same = session.corrected.rowsWith(issue);
  const words = `Use “${visibleText(suggestion)}”`;
  return (
    <>
      <Button
        size="compact-xs"
        variant="light"
        onClick={() => correct(() => session.corrected.setCell([row.row], column, suggestion))}
        aria-label={`${words} as ${column} in row ${row.row}`}
      >
        {words}
      </Button>
      {same.length > 1 && (
        <Button
          size="compact-xs"
          variant="subtle"
          onClick={() => correct(() => session.corrected.setCell(same, column, suggestion))}
        >
          In all {same.length.toLocaleString('en-GB')} rows
        </Button>
      )}
    </>
  );
}
