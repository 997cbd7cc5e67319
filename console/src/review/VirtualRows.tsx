// The rows of a review. Only those in view are in the page, so that 100,000 of them scroll smoothly.

import { useElementSize, useMergedRef } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type RefObject } from 'react';

import { gridTemplate } from './columnWidths';
import type { ResultStore } from './ResultStore';
import styles from './review.module.css';
import { ReviewRow, type RowExtras } from './ReviewRow';
import type { Tab } from './RowOrder';
import { useResults } from './useResults';

const ROW_HEIGHT = 33;
const ISSUE_HEIGHT = 30;

interface VirtualRowsProps {
  readonly store: ResultStore;
  readonly indices: Uint32Array;
  /** Whose rows these are; only its columns are shown. */
  readonly tab: Tab;
  readonly label: string;
  readonly extras: RowExtras;
  readonly maxHeight: number;
  /** The row to begin with, when the rows are others than before. */
  readonly resetKey: string;
}

export function VirtualRows({ store, indices, tab, label, extras, maxHeight, resetKey }: VirtualRowsProps) {
  useResults(store);
  const scroller = useRef<HTMLDivElement>(null);
  const { ref: sizeRef, width: viewWidth } = useElementSize();
  const ref = useMergedRef(scroller, sizeRef);
  // The external ID has a column of its own.
  const columns = store.columns(tab).filter((column) => column !== 'EXTERNAL_ID');
  const hasLines = store.hasLines;
  const { template, width } = gridTemplate(columns, hasLines);
  const virtual = useVirtualRows(store, indices, scroller, resetKey);
  const items = virtual.getVirtualItems();
  const heads = ['Row', ...(hasLines ? ['Line'] : []), 'Outcome', 'EXTERNAL_ID', ...columns];
  const height = Math.min(maxHeight, virtual.getTotalSize() + 50);
  return (
    <div
      ref={ref}
      className={styles.scroller}
      style={{ height }}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={indices.length + 1}
        aria-colcount={heads.length}
        style={{ width: Math.max(width, viewWidth) }}
      >
        <div role="rowgroup" className={styles.head}>
          <div
            role="row"
            aria-rowindex={1}
            className={styles.cells}
            style={{ gridTemplateColumns: template }}
          >
            {heads.map((head, index) => (
              <div
                key={head}
                role="columnheader"
                title={head}
                className={`${styles.cell} ${index < (hasLines ? 2 : 1) ? styles.number : ''}`}
              >
                {head}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item) => {
            const index = indices[item.index] ?? 0;
            return (
              <div
                key={index}
                // Only rows that may have several lines need measuring.
                ref={store.isOneLine(index) ? null : virtual.measureElement}
                data-index={item.index}
                role="row"
                aria-rowindex={item.index + 2}
                className={`${styles.row} ${store.isOneLine(index) ? styles.oneLine : ''}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <ReviewRow
                  row={store.row(index)}
                  index={index}
                  columns={columns}
                  hasLines={hasLines}
                  sent={store.sentValues(index)}
                  template={template}
                  viewWidth={viewWidth}
                  extras={extras}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function useVirtualRows(
  store: ResultStore,
  indices: Uint32Array,
  scroller: RefObject<HTMLDivElement | null>,
  resetKey: string,
) {
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is not in use
  const virtual = useVirtualizer({
    count: indices.length,
    getScrollElement: () => scroller.current,
    getItemKey: (position) => indices[position] ?? position,
    estimateSize: (position) => {
      const issues = store.issuesOf(indices[position] ?? 0).length;
      return ROW_HEIGHT + (issues > 0 ? 8 + issues * ISSUE_HEIGHT : 0);
    },
    overscan: 6,
  });
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
  }, [resetKey, scroller]);
  return virtual;
}
