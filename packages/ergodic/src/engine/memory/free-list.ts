/**
 * Free pieces of an address range, measured in units. Pieces are chosen by best fit among a few candidates of the right
 * size class, and free neighbours are merged immediately.
 *
 * This is pure bookkeeping: it never touches the memory that it describes. Sizes in a class differ by a factor of at
 * most 2^(1/4), and every piece of a higher class is large enough. Taking or freeing a piece costs O(1), plus a scan of
 * at most 112 classes. Because neighbouring free pieces are always merged, there is at most one more free piece than
 * there are taken pieces.
 */

/**
 * Maximum number of candidates that are examined in the exact class before a larger piece is split. This limit bounds
 * the cost, and little memory is wasted.
 */
const CANDIDATES = 16;

export class Blocks {
  /** Sizes of free pieces by their start, and starts of free pieces by their end. */
  private readonly sizes = new Map<number, number>();
  private readonly starts = new Map<number, number>();
  private readonly classes: Set<number>[] = Array.from({ length: 132 }, () => new Set<number>());

  /** Takes a piece of `size` units and returns its start. Returns -1 if no free piece is large enough. */
  take(size: number): number {
    const start = this.find(size);
    if (start < 0) return -1;
    const found = this.sizes.get(start)!;
    this.remove(start, found);
    if (found > size) this.insert(start + size, found - size);
    return start;
  }

  /** Frees `size` units from `start`, merging them with free neighbours. */
  give(start: number, size: number): void {
    const before = this.starts.get(start);
    if (before !== undefined) {
      this.remove(before, start - before);
      size += start - before;
      start = before;
    }
    const after = this.sizes.get(start + size);
    if (after !== undefined) {
      this.remove(start + size, after);
      size += after;
    }
    this.insert(start, size);
  }

  /** Returns the size of the free piece that ends at `end`, or 0 if there is no such piece. */
  endingAt(end: number): number {
    const start = this.starts.get(end);
    return start === undefined ? 0 : end - start;
  }

  /** Returns the size of the largest free piece. */
  largest(): number {
    for (let c = this.classes.length - 1; c >= 0; c--) {
      let most = 0;
      for (const start of this.classes[c]) most = Math.max(most, this.sizes.get(start)!);
      if (most > 0) return most;
    }
    return 0;
  }

  get count(): number {
    return this.sizes.size;
  }

  private find(size: number): number {
    const own = classOf(size);
    const near = this.bestOf(own, size, CANDIDATES);
    if (near >= 0) return near;
    for (let c = own + 1; c < this.classes.length; c++) {
      for (const start of this.classes[c]) return start;
    }
    return this.bestOf(own, size, Infinity);
  }

  private bestOf(sizeClass: number, size: number, candidates: number): number {
    let best = -1;
    let bestSize = Infinity;
    for (const start of this.classes[sizeClass]) {
      const found = this.sizes.get(start)!;
      if (found >= size && found < bestSize) {
        best = start;
        bestSize = found;
        if (found === size) break;
      }
      if (--candidates <= 0) break;
    }
    return best;
  }

  private insert(start: number, size: number): void {
    this.sizes.set(start, size);
    this.starts.set(start + size, start);
    this.classes[classOf(size)].add(start);
  }

  private remove(start: number, size: number): void {
    this.sizes.delete(start);
    this.starts.delete(start + size);
    this.classes[classOf(size)].delete(start);
  }
}

/**
 * Returns the size class, of which there are four per power of two: 4·floor(log2 size) + the two bits below the leading
 * bit.
 */
function classOf(size: number): number {
  const exponent = 31 - Math.clz32(size);
  const below = exponent >= 2 ? (size >>> (exponent - 2)) & 3 : (size << (2 - exponent)) & 3;
  return exponent * 4 + below;
}
