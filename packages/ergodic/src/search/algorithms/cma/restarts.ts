import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";
import type { Draws } from "../../../engine/random/stream.ts";
import type { KeptState } from "../define-search.ts";

export type RestartKind = "none" | "ipop" | "bipop";

export interface Descent {
  population: number;
  sigma: number;
  /** Maximum number of evaluations in the descent. */
  limit: number;
}

/**
 * Chooses the settings of the next CMA-ES descent: population λ, first step σ and maximum number of evaluations.
 *
 *   "ipop"   λ = 2^r λ₀ at the r-th restart
 *   "bipop"  two regimes. The first descent belongs to neither. Next comes the regime that has used fewer evaluations,
 *            at first the large one:
 *            large: λ_ℓ = 2^i λ₀ at its i-th descent
 *            small: λ = ⌊λ₀ (½ λ_ℓ/λ₀)^(U²)⌋, σ = 10^(−2U'), U and U' uniform; at most half the evaluations of the last
 *            large descent
 * `maxRestarts` bounds r, or i.
 * Source: Auger, Hansen 2005 (IPOP); Hansen 2009 (BIPOP).
 */
export class Restarts {
  readonly kept = {
    numbers: {
      restarts: 0,
      /** Number i of large descents so far, including a descent that is in progress. */
      large: 0,
      /** 1 while a small descent runs, otherwise 0. */
      small: 0,
      usedLarge: 0,
      usedSmall: 0,
      /** Number of evaluations of the last large descent. */
      lastLarge: 0,
    },
    arrays: {},
  } satisfies KeptState;
  private readonly kind: RestartKind;
  private readonly population: number;
  private readonly maxRestarts: number;

  constructor(kind: RestartKind, population: number, maxRestarts: number) {
    this.kind = kind;
    this.population = population;
    this.maxRestarts = maxRestarts;
  }

  /**
   * Returns the next descent, or null if no descent is left. `used` is the number of evaluations of the last descent.
   */
  next(used: number, draws: Draws): Descent | null {
    const { numbers } = this.kept;
    this.account(used);
    const small = this.kind === "bipop" && numbers.usedSmall < numbers.usedLarge;
    if (this.kind === "none" || (!small && numbers.large >= this.maxRestarts)) return null;
    numbers.restarts++;
    numbers.small = small ? 1 : 0;
    if (!small) {
      numbers.large++;
      return { population: this.population * 2 ** numbers.large, sigma: 1, limit: Infinity };
    }
    const u = draws.uniform();
    const growth = exp(u * u * log(2 ** (numbers.large - 1)));
    return {
      population: Math.floor(this.population * growth),
      sigma: exp(-2 * draws.uniform() * Math.LN10),
      limit: Math.floor(numbers.lastLarge / 2),
    };
  }

  private account(used: number): void {
    const { numbers } = this.kept;
    if (numbers.small) {
      numbers.usedSmall += used;
    } else if (numbers.large > 0) {
      numbers.usedLarge += used;
      numbers.lastLarge = used;
    }
  }
}
