// Times and durations in words.

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

const relative = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' });

/** "5 minutes ago", "in 2 days"; from a month away the date. */
export function relativeTime(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) {
    return at.toLocaleDateString('en-GB', { dateStyle: 'medium' });
  }
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? (['second', 1] as const);
  return relative.format(Math.trunc(seconds / size), unit);
}

/** "30 November 2026, 14:03:12 CET". */
export function absoluteTime(at: Date): string {
  return at.toLocaleString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

/** "8 seconds", "3 minutes", "2 hours", rounded up; for times that are left. */
export function durationInWords(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  if (seconds < 60) {
    return plural(seconds, 'second');
  }
  return seconds < 3600
    ? plural(Math.ceil(seconds / 60), 'minute')
    : plural(Math.ceil(seconds / 3600), 'hour');
}

/** "1 row", "1,204 rows". */
export function plural(count: number, noun: string, several = `${noun}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? noun : several}`;
}
