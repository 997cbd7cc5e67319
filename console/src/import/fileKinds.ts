// The kinds of files that can be imported, by the endings of their names. What a file really is, the server says.

import type { RosterKind } from './uploadRoster';

const WORKBOOKS = ['.xlsx', '.ods', '.xlsm'];
const TEXTS = ['.csv', '.txt', '.tsv'];

export function kindOf(name: string): RosterKind {
  return endsWith(name, WORKBOOKS) ? 'workbook' : 'csv';
}

export function hasKnownEnding(name: string): boolean {
  return endsWith(name, [...WORKBOOKS, ...TEXTS]);
}

function endsWith(name: string, endings: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return endings.some((ending) => lower.endsWith(ending));
}
