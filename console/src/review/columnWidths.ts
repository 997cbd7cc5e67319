// How wide the columns of a review are, in pixels. Fixed, so that rows out of view need no measuring.

const WIDTHS: Readonly<Record<string, number>> = {
  EMAIL: 250,
  SUPERVISOR_EMAIL: 250,
  STATUS: 130,
  BADGE_NUMBER: 130,
  ROLE: 160,
  RANK: 140,
  PHONE: 160,
};

const OTHER_WIDTH = 150;

/** The grid of a row: number, line, outcome, external ID, then the roster's columns. */
export function gridTemplate(
  columns: readonly string[],
  hasLines: boolean,
): { template: string; width: number } {
  const fixed = hasLines ? [64, 64, 132, 130] : [64, 132, 130];
  const widths = [...fixed, ...columns.map((column) => WIDTHS[column] ?? OTHER_WIDTH)];
  return {
    template: widths.map((width) => `${width}px`).join(' '),
    width: widths.reduce((sum, width) => sum + width, 0),
  };
}
