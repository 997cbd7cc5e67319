import { VisuallyHidden } from '@mantine/core';

import type { CellChange } from './ChangeColumns';
import styles from './review.module.css';
import { Value } from './text';

/** What a cell was, and what it becomes. A cell of a new user only has what it becomes. */
export function ChangeCell({ change, isNew }: { readonly change: CellChange; readonly isNew: boolean }) {
  const { before, after } = change;
  if (isNew) {
    return <Value>{after ?? ''}</Value>;
  }
  if (before === undefined && after === undefined) {
    // Without the permission to see users, or from a record: the values are not known.
    return <span>changed</span>;
  }
  return (
    <>
      {before === undefined ? (
        <span className={styles.before}>blank</span>
      ) : (
        <del className={styles.before}>
          <VisuallyHidden>before: </VisuallyHidden>
          <Value>{before}</Value>
        </del>
      )}{' '}
      <span aria-hidden>→</span>{' '}
      <ins className={styles.after} style={{ textDecoration: 'none' }}>
        <VisuallyHidden>after: </VisuallyHidden>
        {after === undefined ? 'blank' : <Value>{after}</Value>}
      </ins>
    </>
  );
}
