import { memo, type ReactNode } from 'react';

import { RowOutcome, type UserRow } from '~/gen/userimport/v1/types_pb';
import { OutcomeBadge } from '~/shared/outcomes';

import { ChangeCell } from './ChangeCell';
import { IssueLine } from './IssueLine';
import type { RowIssue } from './issues';
import type { ReviewedRow } from './ResultStore';
import styles from './review.module.css';
import { fieldOf } from './rosterColumns';
import { Value, visibleText } from './text';

/** What a screen adds to the rows: what can be done about an issue, and what stands beneath a row. */
export interface RowExtras {
  readonly issueActions?: (row: ReviewedRow, issue: RowIssue) => ReactNode;
  readonly beneath?: (row: ReviewedRow, index: number) => ReactNode;
  /** The values of a row that was corrected, or whose values the result does not have. */
  readonly valuesOf?: (row: ReviewedRow) => UserRow | undefined;
}

interface ReviewRowProps {
  readonly row: ReviewedRow;
  readonly index: number;
  readonly columns: readonly string[];
  readonly hasLines: boolean;
  readonly sent: UserRow | undefined;
  readonly template: string;
  /** Width of what is in view: issues are read without scrolling sideways. */
  readonly viewWidth: number;
  readonly extras: RowExtras;
}

export const ReviewRow = memo(function ReviewRow(props: ReviewRowProps) {
  const { row, index, columns, hasLines, template, viewWidth, extras } = props;
  const beneath = extras.beneath?.(row, index);
  const fixed = hasLines ? 4 : 3;
  return (
    <>
      <div className={styles.cells} style={{ gridTemplateColumns: template }}>
        <div role="cell" className={`${styles.cell} ${styles.number}`}>
          {row.row.toLocaleString('en-GB')}
        </div>
        {hasLines && (
          <div role="cell" className={`${styles.cell} ${styles.number}`}>
            {row.line > 0 ? row.line.toLocaleString('en-GB') : ''}
          </div>
        )}
        <div role="cell" className={`${styles.cell} ${styles.outcome}`}>
          <OutcomeBadge outcome={row.outcome} />
        </div>
        <div role="cell" className={styles.cell}>
          <Value>{row.externalId}</Value>
        </div>
        {columns.map((column) => (
          <ColumnCell key={column} column={column} {...props} />
        ))}
      </div>
      {(row.issues.length > 0 || beneath) && (
        <div
          role="cell"
          aria-colspan={columns.length + fixed}
          className={styles.details}
          style={{ width: viewWidth }}
        >
          {row.issues.map((issue, position) => (
            <IssueLine key={position} issue={issue}>
              {extras.issueActions?.(row, issue)}
            </IssueLine>
          ))}
          {beneath}
        </div>
      )}
    </>
  );
});

function ColumnCell({ column, row, sent, extras }: { readonly column: string } & ReviewRowProps) {
  const issue =
    row.issues.find((one) => one.column === column && one.isError) ??
    row.issues.find((one) => one.column === column);
  const field = fieldOf(column);
  const given = (field && sent?.[field]) ?? (issue?.isError ? issue.value : undefined);
  const corrected = field && extras.valuesOf?.(row)?.[field];
  const isCorrected = corrected !== undefined && given !== undefined && corrected !== given;
  const change = isCorrected
    ? { column, before: given === '' ? undefined : given, after: corrected === '' ? undefined : corrected }
    : row.changes.find((one) => one.column === column);
  const isKnown = change?.before !== undefined || change?.after !== undefined;
  const mark = issue && !isCorrected ? (issue.isError ? styles.faulty : styles.doubtful) : '';
  return (
    <div role="cell" className={`${styles.cell} ${mark}`} title={longer(change?.after)}>
      {change && (isKnown || corrected === undefined) ? (
        <ChangeCell change={change} isNew={row.outcome === RowOutcome.CREATED} />
      ) : (
        <Value>{corrected ?? given ?? ''}</Value>
      )}
    </div>
  );
}

/** A value that may be cut off, to be read on hover. */
function longer(value: string | undefined): string | undefined {
  return value !== undefined && value.length > 16 ? visibleText(value) : undefined;
}
