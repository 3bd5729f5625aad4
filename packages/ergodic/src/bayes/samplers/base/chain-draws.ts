import { checkNumber, OptionError } from "../../../engine/errors/errors.ts";

/**
 * Draws of several chains in unconstrained numbers, with statistics of each transition. Arrays are [chain, draw] and
 * [chain, draw, dimension].
 */
export class ChainDraws {
  protected static readonly typeName: string = "ChainDraws";
  /** Number of chains. */
  readonly chains: number;
  /** Number of draws per chain. */
  readonly count: number;
  /** Number of unconstrained numbers in a draw. */
  readonly dimension: number;
  /** Draws, [chain, draw, dimension]. */
  readonly values: Float64Array;
  /** Names of the statistics stored for each transition: "logDensity" first; "divergent", if present, is 0 or 1. */
  readonly fields: readonly string[];
  /** Transition statistics, [chain, draw, field]. */
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

  /** The draws as plain data: the constructor's arguments, in order. */
  portable(): ConstructorParameters<typeof ChainDraws> {
    return [this.chains, this.count, this.dimension, this.values, this.fields, this.transitions];
  }

  /** Draws of one coordinate, [chain, draw]. Diagnostics need this layout. */
  coordinate(i: number): Float64Array {
    checkNumber("draws.coordinate", "i", i, { low: 0, high: this.dimension - 1, integer: true });
    return this.each((at) => this.values[at * this.dimension + i]);
  }

  /** A single draw, as a view. */
  draw(chain: number, k: number): Float64Array {
    const at = (chain * this.count + k) * this.dimension;
    return this.values.subarray(at, at + this.dimension);
  }

  /** Statistic of every transition, [chain, draw]. @throws OptionError if this sampler does not store the statistic */
  transition(field: string): Float64Array {
    const width = this.fields.length;
    const offset = this.fields.indexOf(field);
    if (offset < 0)
      throw new OptionError(
        "draws.transition",
        `these transitions have no "${field}"; there are ${this.fields.join(", ")}`,
        "OPTION_UNKNOWN",
      );
    return this.each((at) => this.transitions[at * width + offset]);
  }

  /** Number of divergent transitions over all chains; 0 for samplers without divergences. */
  get divergences(): number {
    if (!this.fields.includes("divergent")) return 0;
    return this.transition("divergent").reduce((sum, divergent) => sum + divergent, 0);
  }

  private each(value: (at: number) => number): Float64Array {
    return Float64Array.from({ length: this.chains * this.count }, (_, at) => value(at));
  }
}
