import { Blob as NodeBlob } from 'node:buffer';

import { expect, test } from 'vitest';

import { IssueCode } from '~/gen/userimport/v1/types_pb';
import type { RowIssue } from '~/review/issues';

import { fieldsOf, findRecords } from './csvRecords';
import { errorFileOf, errorTableOf, neutralised, type RejectedRow } from './errorFile';

function error(code: IssueCode, message = 'It is wrong.', suggestion = ''): RowIssue {
  return {
    isError: true,
    code,
    column: 'ROLE',
    fileColumn: '',
    value: '',
    message,
    suggestion,
    relatedRow: 0,
    relatedExternalId: '',
  };
}

function rejected(
  line: number,
  code = IssueCode.UNKNOWN_ROLE,
  message?: string,
  suggestion?: string,
): RejectedRow {
  return { row: line - 1, line, issues: [error(code, message, suggestion)] };
}

async function written(
  roster: string | Uint8Array,
  rows: readonly RejectedRow[],
  { delimiter = ',', charset = '', skipLeadingLines = 0, ignoredLinePrefixes = [] as string[] } = {},
): Promise<string[]> {
  const file = new NodeBlob([roster]) as unknown as Blob;
  const lines = new Set(rows.map(({ line }) => line));
  const records = await findRecords(
    file,
    { charset, delimiter, skipLeadingLines, ignoredLinePrefixes },
    lines,
  );
  const text = errorFileOf(rows, records, delimiter, ignoredLinePrefixes);
  expect(text.startsWith('\ufeff')).toBe(true);
  return text.slice(1).trimEnd().split('\r\n');
}

test('rejected rows keep their columns, order and values', async () => {
  const roster = 'Role, e-mail ,Shirt size\r\nOfficer,a@x.org,M\r\nOficer," b@x.org","say ""M"""\r\n';
  const rows = [rejected(3, IssueCode.UNKNOWN_ROLE, 'ROLE "Oficer" is not a role.', 'Officer')];
  expect(await written(roster, rows)).toEqual([
    'Role," e-mail ",Shirt size,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS',
    'Oficer," b@x.org","say ""M""",UNKNOWN_ROLE,"ROLE ""Oficer"" is not a role.",ROLE: Officer',
  ]);
});

test('no cell is computed', async () => {
  const roster = 'ROLE,PHONE,STREET\nOficer,+1 202 555 0143,=1+2\n';
  const [, row] = await written(roster, [rejected(2)]);
  expect(row).toMatch(/^Oficer,\u200b\+1 202 555 0143,\u200b=1\+2,/);
  expect(neutralised('  @x')).toBe('\u200b  @x');
  expect(neutralised('00421')).toBe('00421');
});

test('columns of an earlier file are dropped, not doubled', async () => {
  const roster = 'ROLE,import error-codes,EMAIL,IMPORT_ERRORS\nOficer,OLD,a@x.org,old\n';
  expect(await written(roster, [rejected(2)])).toEqual([
    'ROLE,EMAIL,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS',
    'Oficer,a@x.org,UNKNOWN_ROLE,It is wrong.,',
  ]);
});

test('a record that cannot be split is written as its text beside blank cells', async () => {
  const roster = 'ROLE,EMAIL,PHONE\nOfficer,a,b,c\n"Off"icer,a,\n"Off\r\nicer,a",b\nOff';
  const rows = [2, 3, 4, 6].map((line) => rejected(line, IssueCode.FIELD_COUNT));
  expect((await written(roster, rows)).slice(1)).toEqual([
    ',,,FIELD_COUNT,It is wrong.,,"Officer,a,b,c"',
    ',,,FIELD_COUNT,It is wrong.,,"""Off""icer,a,"',
    ',,,FIELD_COUNT,It is wrong.,,"""Off ⏎ icer,a"",b"',
    ',,,FIELD_COUNT,It is wrong.,,Off',
  ]);
});

test('lines above the header are kept, delimiter too; the charset becomes UTF-8', async () => {
  const title = new TextEncoder().encode('Personnel, "all\n\n');
  const rest = Uint8Array.from('ROLE;EMAIL\nOficer;mu\xf1oz@x.org\n', (one) => one.charCodeAt(0));
  const roster = new Uint8Array([...title, ...rest]);
  const options = { delimiter: ';', charset: 'windows-1252', skipLeadingLines: 2 };
  expect(await written(roster, [rejected(4)], options)).toEqual([
    '"Personnel, ""all"',
    '',
    'ROLE;EMAIL;IMPORT_ERROR_CODES;IMPORT_ERRORS;IMPORT_SUGGESTIONS',
    'Oficer;muñoz@x.org;UNKNOWN_ROLE;It is wrong.;',
  ]);
});

test('lines that the mapping ignores are no rows, and none that is written begins as they do', async () => {
  const roster = '#"old\nTotal: 1,2\nROLE,EMAIL\n# it\'s "all\nOficer,a@x\n"#1",b@x\n"Total: x\n#",c@x\n';
  const options = { ignoredLinePrefixes: ['#', 'Total: 1,2', 'Total:'] };
  expect(await written(roster, [rejected(5), rejected(6), rejected(7)], options)).toEqual([
    'ROLE,EMAIL,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS',
    'Oficer,a@x,UNKNOWN_ROLE,It is wrong.,',
    '"#1","b@x","UNKNOWN_ROLE","It is wrong.",""',
    '"Total: x\n#",c@x,UNKNOWN_ROLE,It is wrong.,',
  ]);
});

test('a line above the header that is skipped is kept, whatever it begins with', async () => {
  const options = { ignoredLinePrefixes: ['#'], skipLeadingLines: 1 };
  expect(await written('# Staff\n# x\nROLE\nOficer\n', [rejected(4)], options)).toEqual([
    '# Staff',
    'ROLE,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS',
    'Oficer,UNKNOWN_ROLE,It is wrong.,',
  ]);
});

test.each([
  ['A,B\n1,2\n3,4\n', ['2 1|2', '3 3|4']],
  ['A,B\r1,2\n3,4\r\n5,6', ['2 1|2', '3 3|4', '4 5|6']],
  ['\n\r\nA,B\n\n\n1,2\r\n', ['6 1|2']],
  ['A,B\n"1\r\n1",2\n3,4\n', ['2 1\r\n1|2', '4 3|4']],
  ['sep=,\r\nA,B\r\n1,2\r\n', ['3 1|2']],
  ['A,B\n1"x,2\n3,4\n', ['2 1"x|2', '3 3|4']],
  ['A,B\n"a""b",2\n3,4\n', ['2 a"b|2', '3 3|4']],
])('the records of %j are found by the lines they start on', async (text, expected) => {
  const wanted = new Set(Array.from({ length: 10 }, (_, index) => index + 1));
  const file = new NodeBlob([text]) as unknown as Blob;
  const { byLine } = await findRecords(
    file,
    { charset: '', delimiter: ',', skipLeadingLines: 0, ignoredLinePrefixes: [] },
    wanted,
  );
  const found = [...byLine].map(([line, { fields }]) => `${line} ${fields.join('|')}`);
  expect(found.filter((one) => !/^\d+ $/.test(one))).toEqual(expected);
});

test('cells are split at delimiters outside quotes', () => {
  expect(fieldsOf('a,"b,c", "d""e" ,f"g,', ',')).toEqual(['a', 'b,c', ' "d""e" ', 'f"g', '']);
});

test('a workbook’s rejected rows are written in the roster’s columns', () => {
  const text = errorTableOf([rejected(3)], ['EMAIL', 'ROLE'], (row, column) =>
    column === 'ROLE' ? `=R${row}` : undefined,
  );
  expect(text.slice(1).split('\r\n')).toEqual([
    'EMAIL,ROLE,IMPORT_ERROR_CODES,IMPORT_ERRORS,IMPORT_SUGGESTIONS',
    ',\u200b=R2,UNKNOWN_ROLE,It is wrong.,',
    '',
  ]);
});
