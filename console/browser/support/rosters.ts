// Rosters of the tests.

export const HEADER =
  'EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE';

/** A line of a roster: an active officer, except for the given values. */
export function line(number: number, given: Readonly<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    EXTERNAL_ID: `T-${number}`,
    EMAIL: `t${number}@riverton.example`,
    BADGE_NUMBER: `T${number}`,
    FIRST_NAME: 'Robin',
    LAST_NAME: `Officer ${number}`,
    STATUS: 'Active',
    USERNAME: `robin${number}`,
    ROLE: 'Officer',
    ...given,
  };
  return HEADER.split(',')
    .map((column) => quoted(values[column] ?? ''))
    .join(',');
}

/** A roster of so many lines, numbered from one on. */
export function roster(
  size: number,
  given: (number: number) => Readonly<Record<string, string>> = () => ({}),
): string {
  const lines = [HEADER];
  for (let number = 1; number <= size; number += 1) {
    lines.push(line(number, given(number)));
  }
  return lines.join('\n') + '\n';
}

function quoted(value: string): string {
  return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
