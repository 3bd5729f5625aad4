import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { stridesIn } from "../parts/factor-table.ts";
import type { LogTables } from "../parts/log-tables.ts";
import type { MiniBucket } from "../parts/mini-bucket.ts";
import { miniBucketPass } from "../parts/mini-bucket-pass.ts";

/**
 * Conditional probability b_r(x | later) of a variable, computed from one of its mini-buckets. The probability is
 * conditional on the variables that are eliminated later.
 */
interface Conditional {
  /** Weight w_r. */
  readonly weight: number;
  /**
   * Variables eliminated later (`given`), and for each of them the distance between rows of neighbouring states
   * (`strides`).
   */
  readonly given: readonly number[];
  readonly strides: readonly number[];
  /** Rows of probabilities. A row of zeros means that no state is possible. */
  readonly p: Float64Array;
}

/**
 * A distribution q over joint states from weighted mini-buckets. States are drawn in reverse elimination order: q(x_i |
 * later) = Σ_r w_r b_r(x_i | later), b_r = (ψ_r / λ_r)^{1/w_r}, where ψ_r is the product of a mini-bucket's tables, λ_r
 * its message and w_r its weight.
 *
 * The product of the factors is Z⁺ Π_i Π_r b_r^{w_r}, where Z⁺ is the upper bound of the pass. Hence no weight Π_f φ_f
 * / q exceeds Z⁺ (a geometric mean is at most the arithmetic mean), and q > 0 wherever the product is positive. Source:
 * Liu, Fisher and Ihler 2015.
 */
export class Proposal {
  /** ln Z⁺, including possible rounding errors. */
  readonly logBound: number;
  /** Whether no bucket was split, so that q is the distribution itself. */
  readonly exact: boolean;
  private readonly cardinalities: readonly number[];
  private readonly order: readonly number[];
  private readonly conditionals: readonly (readonly Conditional[])[];
  private readonly p: Float64Array;

  private constructor(
    made: Pick<Proposal, "logBound" | "exact">,
    cardinalities: readonly number[],
    order: readonly number[],
    conditionals: Conditional[][],
  ) {
    this.logBound = made.logBound;
    this.exact = made.exact;
    this.cardinalities = cardinalities;
    this.order = order;
    this.conditionals = conditionals;
    this.p = new Float64Array(cardinalities.reduce((a, b) => Math.max(a, b), 0));
  }

  /**
   * Builds a proposal. `limit` is log2 of the largest mini-bucket size, in joint states. Yields every few milliseconds.
   */
  static *make({ cardinalities, tables }: LogTables, order: readonly number[], limit: number): Generator<void, Proposal> {
    const conditionals: Conditional[][] = order.map(() => []);
    const { values, exact } = yield* miniBucketPass(
      { cardinalities, tables, order },
      {
        kind: "upper",
        limit,
        sent: (place, mini, message, weight) => {
          conditionals[place].push(conditionalOf(mini, message, weight));
        },
      },
    );
    return new Proposal({ logBound: values[0], exact }, cardinalities, order, conditionals);
  }

  /**
   * Draws a joint state into `states`. Returns ln q, or −∞ at a dead end, where the product is 0 regardless of the
   * remaining variables.
   */
  draw(draws: Draws, states: Int32Array): number {
    const { order, conditionals, cardinalities, p } = this;
    let logQ = 0;
    for (let place = order.length - 1; place >= 0; place--) {
      const variable = order[place];
      const count = cardinalities[variable];
      const own = conditionals[place];
      p.fill(own.length === 0 ? 1 / count : 0, 0, count);
      for (const { weight, given, strides, p: rows } of own) {
        let at = 0;
        for (let k = 0; k < given.length; k++) at += strides[k] * states[given[k]];
        let total = 0;
        for (let s = 0; s < count; s++) {
          p[s] += weight * rows[at + s];
          total += rows[at + s];
        }
        if (total === 0) return -Infinity;
      }
      let left = draws.uniform();
      let chosen = -1;
      for (let s = 0; s < count; s++) {
        if (p[s] === 0) continue;
        // Probability lost to rounding is assigned to the last possible state.
        chosen = s;
        if (left < p[s]) break;
        left -= p[s];
      }
      states[variable] = chosen;
      logQ += log(p[chosen]);
    }
    return logQ;
  }
}

function conditionalOf({ scope, shape, values }: MiniBucket, message: Float64Array, weight: number): Conditional {
  const count = shape[shape.length - 1];
  const p = new Float64Array(values.length);
  for (let row = 0; row < message.length; row++) {
    if (message[row] === -Infinity) continue;
    for (let s = 0; s < count; s++) p[row * count + s] = exp((values[row * count + s] - message[row]) / weight);
  }
  const given = scope.slice(0, -1);
  return { weight, given, strides: stridesIn({ scope, shape }, given), p };
}
