// Keeps one copy of a string that comes again and again. A decoder makes a new string of each value, so 100,000 rows
// would hold "Active" 100,000 times. A column whose values are nearly all different is not worth the look-up: its pool
// stops to grow, and is given up if it knows few of the values that come then.

const MOST = 4096;

export class StringPool {
  private readonly known = new Map<string, string>();
  private misses = 0;

  share(value: string): string {
    if (this.misses > MOST) {
      return value;
    }
    const found = this.known.get(value);
    if (found !== undefined) {
      return found;
    }
    if (this.known.size < MOST) {
      this.known.set(value, value);
    } else if (++this.misses > MOST) {
      this.known.clear();
    }
    return value;
  }
}
