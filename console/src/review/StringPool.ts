// Keeps one copy of a string that comes again and again. A decoder makes a new string of each value, so 100,000 rows
// would hold "Active" 100,000 times. A column whose values are nearly all different is not worth the look-up: its pool
// stops to grow, and strings that it does not have are kept as they come.

const MOST = 4096;

export class StringPool {
  private readonly known = new Map<string, string>();

  share(value: string): string {
    const found = this.known.get(value);
    if (found !== undefined) {
      return found;
    }
    if (this.known.size < MOST) {
      this.known.set(value, value);
    }
    return value;
  }
}
