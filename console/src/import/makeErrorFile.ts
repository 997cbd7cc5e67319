// Makes the file of rejected rows: of CSV from the file itself; of a workbook, whose sheets the page cannot read, from the
// values as the server read them.

import { fromJson } from '@bufbuild/protobuf';

import { MappingSchema } from '~/gen/userimport/v1/import_service_pb';
import type { UserRow } from '~/gen/userimport/v1/types_pb';
import type { ResultStore } from '~/review/ResultStore';
import { FIELDS, fieldOf, ROSTER_COLUMNS } from '~/review/rosterColumns';

import { MOST_CORRECTIONS } from './CorrectedRows';
import { findRecords } from './csvRecords';
import { errorFileOf, errorTableOf, rejectedRows } from './errorFile';
import type { ImportSession } from './ImportSession';
import { readRows } from './readRows';

export async function makeErrorFile(
  session: ImportSession,
  store: ResultStore,
): Promise<{ name: string; text: string }> {
  const { file: chosen, mapping } = session.draft;
  const { file } = session.state.get();
  const { skipLeadingLines = 0, ignoredLinePrefixes = [] } = mapping ? fromJson(MappingSchema, mapping) : {};
  const rows = rejectedRows(store);
  const name = `${(chosen?.name ?? 'roster').replace(/\.[^.]*$/, '')}-rejected.csv`;
  if (chosen?.kind === 'csv') {
    if (!file) {
      throw new Error('the browser no longer has a copy of your file.');
    }
    const { charset = '', delimiter = '' } = store.started ?? {};
    const reading = {
      charset,
      delimiter: delimiter === '' ? ',' : delimiter,
      skipLeadingLines,
      ignoredLinePrefixes,
    };
    const records = await findRecords(file, reading, new Set(rows.map(({ line }) => line)));
    return { name, text: errorFileOf(rows, records, reading.delimiter, ignoredLinePrefixes) };
  }
  const values = await valuesOf(
    session,
    rows.map(({ row }) => row),
  );
  const given = ROSTER_COLUMNS.filter((column) =>
    [...values.values()].some((row) => row[FIELDS[column]] !== undefined),
  );
  const valueOf = (row: number, column: string) => {
    const field = fieldOf(column);
    return field && values.get(row)?.[field];
  };
  return { name, text: errorTableOf(rows, given, valueOf, ignoredLinePrefixes) };
}

async function valuesOf(session: ImportSession, rows: readonly number[]): Promise<Map<number, UserRow>> {
  const values = new Map<number, UserRow>();
  const { signal } = new AbortController();
  for (let from = 0; from < rows.length; from += MOST_CORRECTIONS) {
    const wanted = rows.slice(from, from + MOST_CORRECTIONS);
    await readRows(session, wanted, signal, (row, sent) => values.set(row, sent));
  }
  return values;
}
