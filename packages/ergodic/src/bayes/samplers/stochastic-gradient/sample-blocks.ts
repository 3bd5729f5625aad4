/**
 * Estimates −E (x − μ) g for each coordinate, with standard errors from blocks of consecutive samples. For exact draws
 * from any posterior, the value is 1.
 *
 * Each chain has at most MOST blocks. When all blocks are full, neighbouring blocks are merged, and later blocks are
 * twice as long. All numbers are in `state`.
 */
const MOST = 8;
/** Number of standard errors that a significant difference exceeds. */
const BEYOND = 3;

export class Blocks {
  private readonly dimension: number;
  private readonly chains: number;
  /** For each chain: number of blocks started, samples per full block, and samples in the last block. */
  private readonly counts: Float64Array;
  /** [chain, block]: Σ weight, and for each coordinate Σ weight x g, Σ weight g. */
  private readonly sums: Float64Array;

  constructor(dimension: number, chains: number) {
    this.dimension = dimension;
    this.chains = chains;
    this.counts = new Float64Array(3 * chains);
    this.sums = new Float64Array(chains * MOST * (1 + 2 * dimension));
    for (let c = 0; c < chains; c++) this.counts.set([0, 1, 1], 3 * c);
  }

  get state(): Record<string, Float64Array> {
    return { blockCounts: this.counts, blockSums: this.sums };
  }

  add(chain: number, x: Float64Array, g: Float64Array, weight: number): void {
    const counts = this.counts.subarray(3 * chain, 3 * chain + 3);
    if (counts[2] === counts[1]) {
      if (counts[0] === MOST) this.join(chain, counts);
      counts[0]++;
      counts[2] = 0;
    }
    counts[2]++;
    const block = this.block(chain, counts[0] - 1);
    block[0] += weight;
    for (let i = 0; i < x.length; i++) {
      block[1 + 2 * i] += weight * x[i] * g[i];
      block[2 + 2 * i] += weight * g[i];
    }
  }

  /**
   * Returns the measured values. Each value is moved towards `wanted` by at most BEYOND standard errors. means: of x.
   */
  held(wanted: Float64Array, means: Float64Array): Float64Array {
    const blocks = Array.from({ length: this.chains }, (_, c) =>
      Array.from({ length: this.counts[3 * c] }, (_, b) => this.block(c, b)),
    ).flat();
    const total = blocks.reduce((sum, block) => sum + block[0], 0);
    return wanted.map((ratio, i) => {
      const each = blocks.map((block) => (means[i] * block[2 + 2 * i] - block[1 + 2 * i]) / block[0]);
      const mean = each.reduce((sum, value, b) => sum + (blocks[b][0] / total) * value, 0);
      const squares = each.reduce((sum, value, b) => sum + ((blocks[b][0] / total) * (value - mean)) ** 2, 0);
      const error = BEYOND * Math.sqrt((squares * each.length) / Math.max(1, each.length - 1));
      return mean > ratio ? Math.max(ratio, mean - error) : Math.min(ratio, mean + error);
    });
  }

  private block(chain: number, b: number): Float64Array {
    const width = 1 + 2 * this.dimension;
    const at = (chain * MOST + b) * width;
    return this.sums.subarray(at, at + width);
  }

  private join(chain: number, counts: Float64Array): void {
    for (let b = 0; b < MOST; b++) {
      const from = this.block(chain, b);
      const to = this.block(chain, b >> 1);
      if (b % 2 === 0) to.set(from.slice());
      else for (let k = 0; k < to.length; k++) to[k] += from[k];
    }
    for (let b = MOST >> 1; b < MOST; b++) this.block(chain, b).fill(0);
    counts[0] = MOST >> 1;
    counts[1] *= 2;
    counts[2] = counts[1];
  }
}
