// A list of small whole numbers that grows, four bytes each.

export class NumberColumn {
  private values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const longer = new Uint32Array(this.length * 2);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.length++] = value;
  }

  /** The number at `index`, which is below the length. */
  at(index: number): number {
    return this.values[index] ?? 0;
  }

  /** The numbers so far; valid until the next push. */
  view(): Uint32Array {
    return this.values.subarray(0, this.length);
  }
}
