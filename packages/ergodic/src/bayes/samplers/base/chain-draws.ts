import { checkNumber, OptionError } from "../../../engine/errors/errors.ts";

/** What a run of several chains drew, on unconstrained numbers, and how each transition went. Arrays are [chain, draw] and [chain, draw, dimension]. */
export class ChainDraws {
  /** Chains. */
  readonly chains: number;
  /** Draws of each chain. */
  readonly count: number;
  /** Unconstrained numbers of a draw. */
  readonly dimension: number;
  /** [chain, draw, dimension]. */
  readonly values: Float64Array;
  /** Names of the numbers kept of each transition; "logDensity" is first, and "divergent" 0 or 1 where there is one. */
  readonly fields: readonly string[];
  /** [chain, draw, field]. */
  private readonly transitions: Float64Array;

  constructor(
    chains: number,
    count: number,
    dimension: number,
    values: Float64Array,
    fields: readonly string[],
    transitions: Float64Array,
  ) {
    this.chains = chains;
    this.count = count;
    this.dimension = dimension;
    this.values = values;
    this.fields = fields;
    this.transitions = transitions;
  }

  /** As plain data: what the constructor takes, in its order. */
  portable(): ConstructorParameters<typeof ChainDraws> {
    return [this.chains, this.count, this.dimension, this.values, this.fields, this.transitions];
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

  /** A number of every transition, [chain, draw]. @throws OptionError for one that this sampler does not keep */
  transition(field: string): Float64Array {
    const width = this.fields.length;
    const offset = this.fields.indexOf(field);
    if (offset < 0)
      throw new OptionError(
        "draws.transition",
        `there is no "${field}" of these transitions; there are ${this.fields.join(", ")}`,
        "OPTION_UNKNOWN",
      );
    return this.each((at) => this.transitions[at * width + offset]);
  }

  /** Divergent transitions of all chains; 0 for samplers that know none. */
  get divergences(): number {
    if (!this.fields.includes("divergent")) return 0;
    return this.transition("divergent").reduce((sum, divergent) => sum + divergent, 0);
  }

  private each(value: (at: number) => number): Float64Array {
    return Float64Array.from({ length: this.chains * this.count }, (_, at) => value(at));
  }
}
