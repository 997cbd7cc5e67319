// Moves the focus when a button of a rejected row has done its work and is gone.

/** Marks what stands beneath a row. */
export function rowMark(row: number): { readonly 'data-correction': number } {
  return { 'data-correction': row };
}

/** Focuses the row's next button once the page is drawn, or else what stands beneath the row. */
export function focusRow(row: number): void {
  requestAnimationFrame(() => {
    const beneath = document.querySelector<HTMLElement>(`[data-correction="${row}"]`);
    const next = beneath?.querySelector<HTMLElement>('button:not(:disabled)') ?? beneath;
    next?.focus();
  });
}
