/** Free ranges of a growing memory. The ranges are sorted, and no two ranges are adjacent. Allocation is first fit. */
export class Gaps {
  readonly #from: number[] = [0];
  readonly #to: number[] = [Infinity];

  /** Allocates `size` bytes at the lowest free address and returns it. */
  take(size: number): number {
    let i = 0;
    while (this.#to[i] - this.#from[i] < size) i++;
    const from = this.#from[i];
    this.#from[i] += size;
    if (this.#from[i] === this.#to[i]) {
      this.#from.splice(i, 1);
      this.#to.splice(i, 1);
    }
    return from;
  }

  /** Frees an allocated range. */
  give(from: number, to: number): void {
    const after = this.#after(from);
    const joinsBefore = after > 0 && this.#to[after - 1] === from;
    const joinsAfter = this.#from[after] === to;
    if (joinsBefore && joinsAfter) {
      this.#to[after - 1] = this.#to[after];
      this.#from.splice(after, 1);
      this.#to.splice(after, 1);
    } else if (joinsBefore) this.#to[after - 1] = to;
    else if (joinsAfter) this.#from[after] = from;
    else {
      this.#from.splice(after, 0, from);
      this.#to.splice(after, 0, to);
    }
  }

  /** Returns the index of the first gap that begins after an address. */
  #after(address: number): number {
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#from[middle] < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
