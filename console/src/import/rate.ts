// How fast something goes, over the last few seconds.

export interface Sample {
  /** Milliseconds. */
  readonly at: number;
  readonly done: number;
}

const WINDOW = 8000;

/** Adds a sample; returns those of the last seconds, and the units a second between them. */
export function rateOf(before: readonly Sample[], next: Sample): { samples: Sample[]; rate: number } {
  // A count that falls belongs to something else than before.
  const same = before.filter(({ at, done }) => at >= next.at - WINDOW && done <= next.done);
  const samples = [...same, next];
  const first = samples[0] ?? next;
  const seconds = (next.at - first.at) / 1000;
  return { samples, rate: seconds > 0.2 ? (next.done - first.done) / seconds : 0 };
}
