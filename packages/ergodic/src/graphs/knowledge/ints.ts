/** A growable array of 32-bit integers. */
export class Ints {
  protected static readonly typeName: string = "Ints";
  data: Int32Array;
  length = 0;

  /** `room` is the initial capacity. */
  constructor(room = 16) {
    this.data = new Int32Array(Math.max(1, room));
  }

  push(value: number): void {
    if (this.length === this.data.length) this.#grow(this.length + 1);
    this.data[this.length++] = value;
  }

  append(values: Int32Array): void {
    if (this.length + values.length > this.data.length) this.#grow(this.length + values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  #grow(least: number): void {
    const grown = new Int32Array(Math.max(least, Math.ceil(this.length * 1.5)));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }
}
