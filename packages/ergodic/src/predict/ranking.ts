/**
 * Stores the outputs of each class and computes two exact areas. In the probabilities below, rows are drawn in
 * proportion to their weights. Area under the ROC curve: P(output of a random 1 > output of a random 0) + ½ P(equal).
 * Average precision: Σ_n (R_n − R_{n−1}) P_n, where precision and recall are computed at every threshold from the
 * largest output down; equal outputs share a threshold. The total time is O(n log n), because each class is sorted at
 * the end.
 */
export class RankedOutputs {
  private readonly zeros = new WeightedOutputs();
  private readonly ones = new WeightedOutputs();

  add(output: number, isOne: boolean, weight: number): void {
    (isOne ? this.ones : this.zeros).push(output, weight);
  }

  /**
   * Returns both areas. If a class is absent, both areas are NaN, except that average precision is 1 if there are ones
   * but no zeros.
   */
  areas(): { auc: number; averagePrecision: number } {
    const zeros = this.zeros.sorted();
    const ones = this.ones.sorted();
    let [below, above, area, precision] = [0, 0, 0, 0];
    while (zeros.left > 0 || ones.left > 0) {
      const output = Math.max(zeros.largest(), ones.largest());
      const [w0, w1] = [zeros.take(output), ones.take(output)];
      above += w1;
      below += w0;
      area += w0 * (above - w1 / 2);
      precision += (w1 * above) / (above + below);
    }
    return { auc: area / (above * below), averagePrecision: precision / above };
  }
}

/** Outputs with weights. As long as all weights are 1, no weights are stored. */
class WeightedOutputs {
  private outputs = new Float64Array(256);
  private weights: Float64Array | null = null;
  private count = 0;

  push(output: number, weight: number): void {
    if (this.count === this.outputs.length) {
      this.outputs = doubled(this.outputs);
      this.weights &&= doubled(this.weights);
    }
    if (weight !== 1) this.weights ??= new Float64Array(this.outputs.length).fill(1, 0, this.count);
    this.outputs[this.count] = output;
    if (this.weights) this.weights[this.count] = weight;
    this.count++;
  }

  /** Returns an iterator over the outputs in descending order. */
  sorted() {
    const { count } = this;
    const given = this.outputs.slice(0, count);
    const { weights } = this;
    const order = weights && Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => given[a] - given[b]);
    const outputs = order ? Float64Array.from(order, (i) => given[i]) : given.sort();
    return {
      left: count,
      largest() {
        return this.left > 0 ? outputs[this.left - 1] : -Infinity;
      },
      /** Removes all outputs equal to this one and returns their weight. */
      take(output: number): number {
        let sum = 0;
        while (this.left > 0 && outputs[this.left - 1] === output) {
          this.left--;
          sum += weights && order ? weights[order[this.left]] : 1;
        }
        return sum;
      },
    };
  }
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const more = new Float64Array(values.length * 2);
  more.set(values);
  return more;
}
