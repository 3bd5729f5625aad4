import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Recent } from "../../places/survey.ts";

const SHARE = 0.3;
const MOST = 2 ** 22;

/**
 * Records the last warm-up draws of every chain with their gradients. The survey determines each chain's place from
 * these draws. The recorder stores the last SHARE of warm-up, but at most MOST numbers per chain.
 */
export class Recorder {
  private readonly from: number;
  private readonly dimension: number;
  private readonly draws: Float64Array[];
  private readonly gradients: Float64Array[];
  private readonly length: number;
  private readonly logDensities: Float64Array[];

  /** `warmup`: number of transitions; 0 records nothing. */
  constructor(warmup: number, chains: number, dimension: number) {
    this.length = Math.min(Math.floor(SHARE * warmup), Math.floor(MOST / dimension));
    this.from = warmup - this.length;
    this.dimension = dimension;
    this.logDensities = Array.from({ length: chains }, () => new Float64Array(this.length));
    const memory = () => Array.from({ length: chains }, () => new Float64Array(this.length * dimension));
    [this.draws, this.gradients] = [memory(), memory()];
  }

  add(c: number, transition: number, draw: Float64Array, gradient: Float64Array, logDensity: number): void {
    const at = transition - this.from;
    if (at < 0 || at >= this.length) return;
    this.logDensities[c][at] = logDensity;
    this.draws[c].set(draw, at * this.dimension);
    this.gradients[c].set(gradient, at * this.dimension);
  }

  of(c: number): Recent {
    return {
      draws: this.draws[c],
      gradients: this.gradients[c],
      highest: this.logDensities[c].reduce((most, one) => Math.max(most, one), -Infinity),
    };
  }

  /** Log densities of chain c's last warm-up draws, as a view. */
  levels(c: number): Float64Array {
    return this.logDensities[c];
  }

  tensors(): Record<string, Tensor> {
    const named = (name: string, all: readonly Float64Array[]) => all.map((rows, c) => [`${name}.${c}`, rows.slice()] as const);
    return Object.fromEntries([
      ...named("recentLevels", this.logDensities),
      ...named("recentDraws", this.draws),
      ...named("recentGradients", this.gradients),
    ]);
  }

  /** `wanted`: whether the run is still in warm-up and needs the record. */
  restore(kept: KeptPart, wanted: boolean): void {
    if (!wanted) return;
    this.draws.forEach((rows, c) => {
      kept.into(rows, `recentDraws.${c}`);
      kept.into(this.gradients[c], `recentGradients.${c}`);
      kept.into(this.logDensities[c], `recentLevels.${c}`);
    });
  }
}
