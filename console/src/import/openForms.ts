import { useMemo, useState } from 'react';

/** What was typed into the form of a row, by the roster's column. */
export type TypedCells = Readonly<Record<string, string>>;

export interface OpenForms {
  readonly isOpen: (row: number) => boolean;
  readonly set: (row: number, isOpen: boolean) => void;
  readonly typed: (row: number) => TypedCells;
  readonly type: (row: number, column: string, value: string) => void;
}

const NOTHING: TypedCells = {};

/** Which rows have their form open, and what was typed. Rows out of view are not in the page, so they cannot keep it. */
export function useOpenForms(): OpenForms {
  const [open, setOpen] = useState<ReadonlyMap<number, TypedCells>>(new Map());
  return useMemo(
    () => ({
      isOpen: (row) => open.has(row),
      set: (row, isOpen) => setOpen((before) => opened(before, row, isOpen)),
      typed: (row) => open.get(row) ?? NOTHING,
      type: (row, column, value) => setOpen((before) => typedInto(before, row, column, value)),
    }),
    [open],
  );
}

type Forms = ReadonlyMap<number, TypedCells>;

/** A form that is closed forgets what was typed. */
export function opened(forms: Forms, row: number, isOpen: boolean): Forms {
  const next = new Map(forms);
  if (isOpen) {
    next.set(row, NOTHING);
  } else {
    next.delete(row);
  }
  return next;
}

export function typedInto(forms: Forms, row: number, column: string, value: string): Forms {
  return new Map(forms).set(row, { ...forms.get(row), [column]: value });
}
