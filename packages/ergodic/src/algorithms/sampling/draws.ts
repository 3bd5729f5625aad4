/** What a run of several chains drew, on unconstrained numbers, and how each transition went. Arrays are [chain, draw] and [chain, draw, dimension]. */
import { checkNumber } from "../../base/errors.ts";

/** Numbers kept of each transition, in the order that the kernels write them. */
export const transitionFields = [
  "logDensity",
  "acceptance",
  "stepSize",
  "treeDepth",
  "leapfrogs",
  "divergent",
  "energy",
] as const;
export type TransitionField = (typeof transitionFields)[number];

export class Draws {
  readonly chains: number;
  /** Draws of each chain. */
  readonly count: number;
  readonly dimension: number;
  /** [chain, draw, dimension]. */
  readonly values: Float64Array;
  /** [chain, draw, field]. */
  private readonly transitions: Float64Array;

  constructor(chains: number, count: number, dimension: number, values: Float64Array, transitions: Float64Array) {
    this.chains = chains;
    this.count = count;
    this.dimension = dimension;
    this.values = values;
    this.transitions = transitions;
  }

  /** Draws of one coordinate, [chain, draw]: what the diagnostics take. */
  coordinate(i: number): Float64Array {
    checkNumber("draws.coordinate", "i", i, { low: 0, high: this.dimension - 1, integer: true });
    return this.each((at) => this.values[at * this.dimension + i]);
  }

  /** One draw: a view. */
  draw(chain: number, k: number): Float64Array {
    const at = (chain * this.count + k) * this.dimension;
    return this.values.subarray(at, at + this.dimension);
  }

  /** A number of every transition, [chain, draw]; "divergent" is 0 or 1. */
  transition(field: TransitionField): Float64Array {
    const width = transitionFields.length;
    const offset = transitionFields.indexOf(field);
    return this.each((at) => this.transitions[at * width + offset]);
  }

  /** Divergent transitions of all chains. */
  get divergences(): number {
    return this.transition("divergent").reduce((sum, divergent) => sum + divergent, 0);
  }

  private each(value: (at: number) => number): Float64Array {
    return Float64Array.from({ length: this.chains * this.count }, (_, at) => value(at));
  }
}
