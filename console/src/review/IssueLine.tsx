import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react';
import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';

import { toneText } from '~/shared/outcomes';

import type { RowIssue } from './issues';
import styles from './review.module.css';
import { Value } from './text';

interface IssueLineProps {
  readonly issue: RowIssue;
  /** What can be done about it. */
  readonly children?: ReactNode;
}

/** One thing that is wrong with a row, or worth knowing, with what can be done about it. */
export function IssueLine({ issue, children }: IssueLineProps) {
  const { isError, message, suggestion, fileColumn } = issue;
  const IssueIcon = isError ? IconCircleX : IconAlertTriangle;
  return (
    <div className={styles.issue}>
      <span className={styles.issueText}>
        <IssueIcon
          size={14}
          aria-hidden
          className={`${styles.issueIcon} ${toneText(isError ? 'negative' : 'warning')}`}
        />
        <span>
          <VisuallyHidden>{isError ? 'Error: ' : 'Warning: '}</VisuallyHidden>
          <Value>{message}</Value>
          {fileColumn !== '' && !message.includes(fileColumn) && (
            <>
              {' '}
              (column <Value>{fileColumn}</Value>)
            </>
          )}
          {suggestion !== '' && !children && !message.includes(suggestion) && (
            <>
              {' '}
              Suggestion: <Value>{suggestion}</Value>
            </>
          )}
        </span>
      </span>
      {children}
    </div>
  );
}
