/** A vector that grows. */
export class Numbers {
  private numbers: Float64Array;
  private length: number;

  constructor(start: Float64Array) {
    this.numbers = start.slice();
    this.length = start.length;
  }

  values(): Float64Array {
    return this.numbers.slice(0, this.length);
  }

  push(...values: readonly number[]): void {
    this.append(values);
  }

  append(values: ArrayLike<number>): void {
    const needed = this.length + values.length;
    if (needed > this.numbers.length) {
      const larger = new Float64Array(2 * needed);
      larger.set(this.numbers.subarray(0, this.length));
      this.numbers = larger;
    }
    this.numbers.set(values, this.length);
    this.length = needed;
  }
}
