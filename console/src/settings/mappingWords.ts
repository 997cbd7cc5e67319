// What a mapping does, in words.

import type { Mapping } from '~/gen/userimport/v1/import_service_pb';

/** One sentence for each thing that a mapping does, in the order in which it does them. */
export function mappingInWords(mapping: Mapping): string[] {
  const { skipLeadingLines, ignoredLinePrefixes, columns, nullValues, templates, values } = mapping;
  const read = Object.entries(columns).filter(([, column]) => column.trim() !== '');
  const ignored = Object.entries(columns).filter(([, column]) => column.trim() === '');
  return [
    ...(skipLeadingLines > 0 ? [linesAbove(skipLeadingLines)] : []),
    ...(ignoredLinePrefixes.length > 0
      ? [`Lines that begin with ${listed(ignoredLinePrefixes, 'or')} are no rows.`]
      : []),
    ...read.map(([name, column]) => `The file’s column “${name}” is read as ${column}.`),
    ...(ignored.length > 0
      ? [
          `${listed(
            ignored.map(([name]) => name),
            'and',
          )} ${isAre(ignored.length)} ignored.`,
        ]
      : []),
    ...(nullValues.length > 0
      ? [`${listed(nullValues, 'and')} ${meanMeans(nullValues.length)} a blank cell.`]
      : []),
    ...Object.entries(templates).map(([column, template]) => `${column} is computed: ${template}`),
    ...values.map(({ column, cell, value }) => `In ${column}, ${quoted(cell)} becomes ${quoted(value)}.`),
  ];
}

/** "9 columns, 3 values, 2 templates". */
export function mappingSize({ columns, values, templates }: Mapping): string {
  const parts = [
    [Object.keys(columns).length, 'column'],
    [values.length, 'value'],
    [Object.keys(templates).length, 'computed column'],
  ] as const;
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => `${count} ${noun}${count === 1 ? '' : 's'}`);
  return said.join(', ') || 'Nothing is changed';
}

function linesAbove(count: number): string {
  return count === 1
    ? 'The first line of the file is left out.'
    : `The first ${count} lines of the file are left out.`;
}

function quoted(text: string): string {
  return text.trim() === '' ? 'a blank' : `“${text}”`;
}

function listed(names: readonly string[], conjunction: string): string {
  const all = names.map((name) => `“${name}”`);
  const last = all.pop() ?? '';
  return all.length > 0 ? `${all.join(', ')} ${conjunction} ${last}` : last;
}

const isAre = (count: number) => (count === 1 ? 'is' : 'are');
const meanMeans = (count: number) => (count === 1 ? 'means' : 'mean');
