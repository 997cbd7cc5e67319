import { Button, Group, Loader, Stack, Text, TextInput } from '@mantine/core';

import { RowOutcome, type UserRow } from '~/gen/userimport/v1/types_pb';
import { IssueLine } from '~/review/IssueLine';
import type { ReviewedRow, ResultStore } from '~/review/ResultStore';
import { fieldOf, ROSTER_COLUMNS } from '~/review/rosterColumns';
import { LookBadge, OUTCOME_LOOKS } from '~/shared/outcomes';

import { correctedValues } from './correctedValues';
import { focusRow, rowMark } from './focusRow';
import styles from './import.module.css';
import type { ImportSession } from './ImportSession';
import type { OpenForms, TypedCells } from './openForms';

interface CorrectedRowProps {
  readonly session: ImportSession;
  readonly row: ReviewedRow;
  readonly judged: ResultStore | undefined;
  readonly isJudging: boolean;
  readonly forms: OpenForms;
}

/** A rejected row that is being corrected, or has been: how it was judged, and the form. */
export function CorrectedRow({ session, row, judged, isJudging, forms }: CorrectedRowProps) {
  const isOpen = forms.isOpen(row.row);
  const onOpen = (opened: boolean) => forms.set(row.row, opened);
  const isCorrected = session.corrected.find(row.row) !== undefined;
  const values = session.corrected.values(row.row);
  return (
    <Stack gap={6} align="flex-start" tabIndex={-1} {...rowMark(row.row)}>
      {isCorrected && <Verdict row={row.row} judged={judged} isJudging={isJudging} />}
      {isCorrected && !isOpen && (
        <Group gap="xs">
          <Button size="compact-xs" variant="default" onClick={() => onOpen(true)}>
            Correct further
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              session.corrected.remove(row.row);
              focusRow(row.row);
            }}
          >
            Leave this row out
          </Button>
        </Group>
      )}
      {isOpen && values && (
        <CorrectionForm
          row={row}
          values={values}
          typed={forms.typed(row.row)}
          onType={(column, value) => forms.type(row.row, column, value)}
          onDone={(corrected) => {
            onOpen(false);
            session.corrected.set([{ row: row.row, values: corrected }]);
            focusRow(row.row);
          }}
          onCancel={() => {
            onOpen(false);
            focusRow(row.row);
          }}
        />
      )}
    </Stack>
  );
}

function Verdict({
  row,
  judged,
  isJudging,
}: {
  readonly row: number;
  readonly judged: ResultStore | undefined;
  readonly isJudging: boolean;
}) {
  const index = judged?.indexOfRow(row);
  if (isJudging || !judged || index === undefined) {
    return (
      <Group gap={6} role="status">
        {isJudging && <Loader size={12} aria-hidden />}
        <Text size="sm">
          {isJudging ? 'Judging the corrected row…' : 'The corrected row is not judged yet.'}
        </Text>
      </Group>
    );
  }
  const { outcome, issues } = judged.row(index);
  const words: Partial<Record<RowOutcome, string>> = {
    [RowOutcome.CREATED]: 'Corrected: would be created',
    [RowOutcome.UPDATED]: 'Corrected: would be updated',
    [RowOutcome.UNCHANGED]: 'Corrected: unchanged',
    [RowOutcome.REJECTED]: 'Corrected, but still rejected',
  };
  return (
    <Stack gap={4} role="status">
      <Group>
        <LookBadge look={{ ...OUTCOME_LOOKS[outcome], label: words[outcome] ?? '' }} />
      </Group>
      {issues.map((issue, position) => (
        <IssueLine key={position} issue={issue} />
      ))}
    </Stack>
  );
}

interface CorrectionFormProps {
  readonly row: ReviewedRow;
  readonly values: UserRow;
  readonly typed: TypedCells;
  readonly onType: (column: string, value: string) => void;
  readonly onDone: (values: UserRow) => void;
  readonly onCancel: () => void;
}

function CorrectionForm({ row, values, typed, onType, onDone, onCancel }: CorrectionFormProps) {
  const faulty = new Set(row.issues.filter(({ isError }) => isError).map(({ column }) => column));
  // The faulty cells come first, as they are what has to be corrected.
  const columns = [...ROSTER_COLUMNS].sort((a, b) => Number(faulty.has(b)) - Number(faulty.has(a)));
  return (
    <form
      style={{ width: '100%' }}
      aria-label={`Correct row ${row.row}`}
      onSubmit={(event) => {
        event.preventDefault();
        onDone(correctedValues(values, typed));
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          onCancel();
        }
      }}
    >
      <Stack gap="xs">
        <div className={styles.correction}>
          {columns.map((column, position) => {
            const field = fieldOf(column);
            const errors = row.issues.filter((issue) => issue.isError && issue.column === column);
            return (
              <TextInput
                key={column}
                size="xs"
                label={column}
                autoComplete="off"
                spellCheck={false}
                autoFocus={position === 0 && Object.keys(typed).length === 0}
                value={typed[column] ?? (field && values[field]) ?? ''}
                error={errors.length > 0 && typed[column] === undefined ? 'Rejected' : undefined}
                onChange={({ currentTarget }) => onType(column, currentTarget.value)}
              />
            );
          })}
        </div>
        <Group gap="xs">
          <Button size="compact-sm" type="submit">
            Judge again
          </Button>
          <Button size="compact-sm" variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
