import { useMemo, useState } from 'react';

export interface OpenForms {
  readonly isOpen: (row: number) => boolean;
  readonly set: (row: number, isOpen: boolean) => void;
}

/** Which rows have their form open. Rows out of view are not in the page, so they cannot keep it themselves. */
export function useOpenForms(): OpenForms {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  return useMemo(
    () => ({
      isOpen: (row) => open.has(row),
      set: (row, isOpen) => {
        const next = new Set(open);
        if (isOpen) {
          next.add(row);
        } else {
          next.delete(row);
        }
        setOpen(next);
      },
    }),
    [open],
  );
}
