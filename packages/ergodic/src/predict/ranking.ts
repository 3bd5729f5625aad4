/**
 * Outputs kept by class for the exact area under the ROC curve: P(output of a random 1 > output of a random 0) + ½ P(equal),
 * rows drawn in proportion to their weights. O(n log n) at the end, by sorting each class.
 */
export class RankedOutputs {
  private readonly zeros = new WeightedOutputs();
  private readonly ones = new WeightedOutputs();

  add(output: number, isOne: boolean, weight: number): void {
    (isOne ? this.ones : this.zeros).push(output, weight);
  }

  /** NaN if a class is absent. */
  auc(): number {
    const zeros = this.zeros.sorted();
    const ones = this.ones.sorted();
    let below = 0;
    let i = 0;
    let area = 0;
    for (let j = 0; j < ones.outputs.length; ) {
      const output = ones.outputs[j];
      for (; i < zeros.outputs.length && zeros.outputs[i] < output; i++) below += zeros.weights ? zeros.weights[i] : 1;
      let tied = 0;
      for (let k = i; k < zeros.outputs.length && zeros.outputs[k] === output; k++) tied += zeros.weights ? zeros.weights[k] : 1;
      let weight = 0;
      for (; j < ones.outputs.length && ones.outputs[j] === output; j++) weight += ones.weights ? ones.weights[j] : 1;
      area += weight * (below + tied / 2);
    }
    return area / (zeros.total * ones.total);
  }
}

/** Weights are kept only once one differs from 1. */
class WeightedOutputs {
  private outputs = new Float64Array(256);
  private weights: Float64Array | null = null;
  private count = 0;
  private total = 0;

  push(output: number, weight: number): void {
    if (this.count === this.outputs.length) {
      this.outputs = doubled(this.outputs);
      this.weights &&= doubled(this.weights);
    }
    if (weight !== 1) this.weights ??= new Float64Array(this.outputs.length).fill(1, 0, this.count);
    this.outputs[this.count] = output;
    if (this.weights) this.weights[this.count] = weight;
    this.count++;
    this.total += weight;
  }

  sorted(): { outputs: Float64Array; weights: Float64Array | null; total: number } {
    const { count, total } = this;
    const outputs = this.outputs.slice(0, count);
    if (!this.weights) return { outputs: outputs.sort(), weights: null, total };
    const { weights } = this;
    const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => outputs[a] - outputs[b]);
    return { outputs: Float64Array.from(order, (i) => outputs[i]), weights: Float64Array.from(order, (i) => weights[i]), total };
  }
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const more = new Float64Array(values.length * 2);
  more.set(values);
  return more;
}
