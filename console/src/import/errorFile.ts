// The file of the rejected rows: the file's own columns and values, and what is wrong, ready to be corrected in a
// spreadsheet and imported again. As `user-import import --errors` writes it.

import { IssueCode } from '~/gen/userimport/v1/types_pb';
import { codeWord, type RowIssue } from '~/review/issues';
import type { ResultStore } from '~/review/ResultStore';

import type { FoundRecords } from './csvRecords';

const ADDED = ['IMPORT_ERROR_CODES', 'IMPORT_ERRORS', 'IMPORT_SUGGESTIONS'];
/** The text of a record that cannot be split into cells; only if there is such a record. */
const ORIGINAL = 'IMPORT_ORIGINAL';
const ORIGINAL_CHARACTERS = 4000;
/** Keeps a spreadsheet from computing the cell. An import trims it away. */
const TEXT_MARK = '\u200b';
const BYTE_ORDER_MARK = '\ufeff';
const FORMULA_START = /^[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** A rejected row. */
export interface RejectedRow {
  readonly row: number;
  readonly line: number;
  readonly issues: readonly RowIssue[];
}

/** The rejected rows that a person can correct. A line that lists no user, such as a repeated header, is none. */
export function rejectedRows(store: ResultStore): RejectedRow[] {
  return Array.from(store.indices('rejected'), (index) => store.row(index)).filter(
    ({ issues }) => !hasError(issues, IssueCode.NOT_A_ROW),
  );
}

/** The rejected rows of a CSV file, with the lines above its header. */
export function errorFileOf(
  rows: readonly RejectedRow[],
  records: FoundRecords,
  delimiter: string,
  ignoredLinePrefixes: readonly string[] = [],
): string {
  const { header } = records;
  const last = header.findLastIndex((name) => name.trim() !== '');
  const own = header
    .map((_, index) => index)
    .filter((index) => index <= last && !isAdded(header[index] ?? ''));
  const earlierOriginal = header.findIndex((name) => standardName(name) === ORIGINAL);
  const hasOriginal = earlierOriginal >= 0 || rows.some(({ issues }) => isUnsplittable(issues));
  const leading = records.leading.map((line) => [line]);
  const lines: string[][] = [
    [...own.map((index) => header[index] ?? ''), ...ADDED, ...(hasOriginal ? [ORIGINAL] : [])],
  ];
  for (const { row, line, issues } of rows) {
    const record = records.byLine.get(line);
    if (!record) {
      throw new Error(`Row ${row} is not where the server found it, on line ${line}.`);
    }
    const cells = isUnsplittable(issues) ? own.map(() => '') : own.map((index) => record.fields[index] ?? '');
    const original = isUnsplittable(issues) ? onOneLine(record.text) : (record.fields[earlierOriginal] ?? '');
    lines.push([...cells, ...addedCells(issues), ...(hasOriginal ? [original] : [])]);
  }
  return BYTE_ORDER_MARK + csvText(leading, delimiter) + csvText(lines, delimiter, ignoredLinePrefixes);
}

/** The rejected rows in the roster's columns, for a file whose own cells are not at hand. */
export function errorTableOf(
  rows: readonly RejectedRow[],
  columns: readonly string[],
  valueOf: (row: number, column: string) => string | undefined,
  ignoredLinePrefixes: readonly string[] = [],
): string {
  const lines = rows.map(({ row, issues }) => [
    ...columns.map((column) => valueOf(row, column) ?? ''),
    ...addedCells(issues),
  ]);
  return BYTE_ORDER_MARK + csvText([[...columns, ...ADDED], ...lines], ',', ignoredLinePrefixes);
}

function csvText(
  lines: readonly (readonly string[])[],
  delimiter: string,
  ignoredLinePrefixes: readonly string[] = [],
): string {
  const lineOf = (given: readonly string[]) => {
    const cells = given.map(neutralised);
    const line = cells.map((cell) => csvCell(cell, delimiter)).join(delimiter);
    // A line within quotes is a row, whatever it begins with.
    const isIgnored = ignoredLinePrefixes.some((prefix) => line.startsWith(prefix));
    return isIgnored ? cells.map(quoted).join(delimiter) : line;
  };
  return lines.map((cells) => `${lineOf(cells)}\r\n`).join('');
}

function csvCell(cell: string, delimiter: string): string {
  const needsQuotes = cell.includes(delimiter) || /["\r\n]/.test(cell) || cell !== cell.trim();
  return needsQuotes ? quoted(cell) : cell;
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

/** A cell that no spreadsheet computes. */
export function neutralised(cell: string): string {
  return FORMULA_START.test(cell) || FORMULA_START.test(cell.trimStart()) ? TEXT_MARK + cell : cell;
}

function addedCells(issues: readonly RowIssue[]): string[] {
  const errors = issues.filter(({ isError }) => isError);
  return [
    errors.map(({ code }) => codeWord(code)).join(' '),
    errors.map(({ message }) => message).join(' '),
    errors
      .filter(({ suggestion }) => suggestion !== '')
      .map(({ column, suggestion }) => `${column}: ${suggestion}`)
      .join('; '),
  ];
}

/** True: it is unclear where the row's cells begin and end. Filled up, it would store what nobody meant. */
function isUnsplittable(issues: readonly RowIssue[]): boolean {
  return hasError(issues, IssueCode.FIELD_COUNT) || hasError(issues, IssueCode.STRAY_QUOTE);
}

function hasError(issues: readonly RowIssue[], code: IssueCode): boolean {
  return issues.some((issue) => issue.isError && issue.code === code);
}

function isAdded(name: string): boolean {
  return [...ADDED, ORIGINAL].includes(standardName(name));
}

function standardName(name: string): string {
  return name
    .replace(/^[\s\ufeff\u200b-\u200d]+|[\s\ufeff\u200b-\u200d]+$/g, '')
    .toUpperCase()
    .replace(/[ -]/g, '_');
}

function onOneLine(text: string): string {
  const characters = Array.from(text);
  const kept = characters.slice(0, ORIGINAL_CHARACTERS).join('');
  const cut = characters.length > ORIGINAL_CHARACTERS ? `${kept}…` : kept;
  return cut.replace(/\r\n|\r|\n/g, ' ⏎ ');
}
