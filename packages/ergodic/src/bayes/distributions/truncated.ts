import {
  and,
  interpret,
  isArray,
  less,
  lessEqual,
  max,
  min,
  type SymbolicArray,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { operation, options } from "../../engine/compiler/signature.ts";
import { CapabilityError, CompileError } from "../../engine/errors/errors.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { withUserLine } from "../model/user-line.ts";
import { joined, partOf } from "./components.ts";
import type { Support, Values } from "./constraint.ts";
import { checkOrder, type Parameter, parameterArray } from "./distribution.ts";
import type { Family, SymbolicParameters } from "./family.ts";
import { distributionKind, parameter } from "./kinds.ts";
import { logSubExp, within } from "./terms.ts";
import { Distribution } from "./value.ts";

/** Bounds of `truncated`. */
export interface Bounds {
  /** Smallest value. Default: none. */
  readonly lower?: Parameter;
  /** Largest value. Default: none. */
  readonly upper?: Parameter;
}

/**
 * A distribution of numbers restricted to lower ≤ x ≤ upper: log p(x) = log f(x) − log P(lower ≤ X ≤ upper).
 *
 * The mass is computed in the tail in which it is exact. With symbolic parameters, the base must have log distribution
 * functions. If the base only has functions of numbers, its parameters must be numbers. Draws: by rejection, or by
 * inversion if little mass is left.
 *
 * `base` is restricted to lower ≤ x ≤ upper; the bounds have the same names as in param().
 *
 * @throws CompileError unless a bound is given and the base is a distribution of numbers; OptionError if the bounds are
 *   in the wrong order; CapabilityError if its mass is not known
 */
export const truncated = operation(
  "truncated",
  { base: distributionKind, bounds: options({ lower: parameter, upper: parameter }) },
  (base: Distribution, bounds: Bounds): Distribution => withUserLine(() => cutOff(base, bounds)),
);

function cutOff(base: Distribution, { lower, upper }: Bounds): Distribution {
  if (base.eventRank !== 0 || (lower === undefined && upper === undefined))
    throw new CompileError(
      "truncated",
      `the base is ${base.name}, lower is ${String(lower)} and upper is ${String(upper)}, but a distribution of single numbers and at least one bound are needed`,
      "COMPILE_OPERAND",
    );
  const f = base.family;
  const parts = joined([base]);
  const bounds: Record<string, SymbolicArray> = {};
  if (lower !== undefined) bounds.lower = parameterArray("truncated", "lower", "real", lower);
  if (upper !== undefined) bounds.upper = parameterArray("truncated", "upper", "real", upper);
  checkOrder("truncated", bounds, ["lower", "upper"], base.kind === "discrete");
  const own = (v: Values): Values => partOf(v, 0);
  const family: Family = {
    name: "truncated",
    kind: base.kind,
    constraints: { ...parts.constraints, ...Object.fromEntries(Object.keys(bounds).map((name) => [name, "real"] as const)) },
    support: (p) => supportOf(f.support(partOf(p, 0)), p),
    logDensity(x, p) {
      const above = p.lower ? lessEqual(p.lower, x) : undefined;
      const below = p.upper ? lessEqual(x, p.upper) : undefined;
      const inside = above && below ? and(above, below) : (above ?? below)!;
      return within(inside, sub(f.logDensity(x, partOf(p, 0)), logMass(f, partOf(p, 0), p)));
    },
    sample: (draws, v) => draw(draws, f, own(v), v.lower as number | undefined, v.upper as number | undefined),
    ...(f.cdf && { cdf: (x, v) => new Mass(f, own(v), v.lower as number, v.upper as number).below(x) }),
    ...(f.cdf && f.quantile && { quantile: (u, v) => new Mass(f, own(v), v.lower as number, v.upper as number).quantile(u) }),
  };
  return new Distribution(family, { ...parts.parameters, ...bounds });
}

function supportOf(base: Support, { lower: low, upper: high }: SymbolicParameters): Support {
  if (base.kind !== "interval" && base.kind !== "integers") return base;
  const lows = [base.low, low].filter(isArray);
  const highs = [base.high, high].filter(isArray);
  const ends = {
    ...(lows.length > 0 && { low: lows.reduce((a, b) => max(a, b)) }),
    ...(highs.length > 0 && { high: highs.reduce((a, b) => min(a, b)) }),
  };
  return { ...base, ...ends };
}

/** Returns log P(low ≤ X ≤ high). */
function logMass(f: Family, own: SymbolicParameters, { lower: low, upper: high }: SymbolicParameters): SymbolicArray {
  if (f.kind === "continuous" && (!high || f.logCdf) && (!low || f.logSurvival)) {
    if (!high) return f.logSurvival!(low, own);
    if (!low) return f.logCdf!(high, own);
    return logBetween(f, own, low, high);
  }
  const numbers = constantsOf(own);
  const [from, to] = [low && constantsOf({ low }), high && constantsOf({ high })];
  if (!f.cdf || !numbers || (low && !from) || (high && !to))
    throw new CapabilityError(
      "truncated",
      `the mass of ${f.name} between the bounds is not known for symbolic parameters; give numbers, or use a distribution with an elementary distribution function`,
      "DISTRIBUTION_LACKS",
    );
  return toArray(logOf(new Mass(f, numbers, from?.low as number, to?.high as number).whole));
}

/**
 * Returns log P(low < X ≤ high), computed in the tail in which it is exact. The family must have both log distribution
 * functions.
 */
export function logBetween(f: Family, own: SymbolicParameters, low: SymbolicArray, high: SymbolicArray): SymbolicArray {
  const [logCdf, logSurvival] = [f.logCdf!, f.logSurvival!];
  const upper = less(-Math.LN2, logCdf(low, own));
  const more = where(upper, logSurvival(low, own), logCdf(high, own));
  return logSubExp(more, where(upper, logSurvival(high, own), logCdf(low, own)));
}

/** Returns the numbers of scalar parameters that depend on no input; otherwise undefined. */
function constantsOf(parameters: SymbolicParameters): Values | undefined {
  const arrays = Object.values(parameters);
  if (arrays.some((a) => a.size !== 1 || (a.op !== "full" && a.op !== "constant"))) return undefined;
  const numbers = interpret(arrays, {});
  return Object.fromEntries(Object.keys(parameters).map((name, i) => [name, numbers[i][0]]));
}

/** Probability masses in plain numbers, computed in the tail in which they are exact. */
class Mass {
  readonly whole: number;
  readonly #family: Family;
  readonly #own: Values;
  #upper: boolean;
  readonly #start: number;
  readonly #low: number;
  readonly #high: number;

  constructor(family: Family, own: Values, low = -Infinity, high = Infinity) {
    this.#family = family;
    this.#own = own;
    // For whole numbers, the lower bound itself is included.
    const before = family.kind === "discrete" ? Math.ceil(low) - 1 : low;
    this.#low = low;
    this.#high = high;
    this.#upper = false;
    const below = this.#tail(before);
    this.#upper = family.survival !== undefined && below > 0.5;
    this.#start = this.#upper ? this.#tail(before) : below;
    this.whole = this.#between(high);
  }

  #between(x: number): number {
    return this.#upper ? this.#start - this.#tail(x) : this.#tail(x) - this.#start;
  }

  /** Returns P(X > x) or P(X ≤ x), whichever is small at the lower bound. */
  #tail(x: number): number {
    const { cdf, survival } = this.#family;
    if (!Number.isFinite(x)) return Number(x > 0 !== this.#upper);
    return this.#upper ? survival!(x, this.#own) : cdf!(x, this.#own);
  }

  /** Returns P(X ≤ x) of the truncated distribution. */
  below(x: number): number {
    return x < this.#low ? 0 : x >= this.#high ? 1 : this.#between(x) / this.whole;
  }

  quantile(u: number): number {
    const { quantile, upperQuantile } = this.#family;
    const x =
      this.#upper && upperQuantile
        ? upperQuantile(this.#start - u * this.whole, this.#own)
        : quantile!((this.#upper ? 1 - this.#start : this.#start) + u * this.whole, this.#own);
    return Math.min(Math.max(x, this.#low), this.#high);
  }
}

const LEAST_ACCEPTED = 0.05;
const MOST_TRIES = 1e6;

function draw(draws: Draws, f: Family, own: Values, low = -Infinity, high = Infinity): number {
  const mass = f.cdf && f.quantile ? new Mass(f, own, low, high) : undefined;
  if (mass && mass.whole < LEAST_ACCEPTED) return mass.quantile(draws.uniform());
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const x = f.sample(draws, own) as number;
    if (x >= low && x <= high) return x;
  }
  throw new CapabilityError(
    "truncated",
    `no draw of ${f.name} in ${MOST_TRIES} fell between ${low} and ${high}; widen the bounds`,
    "DISTRIBUTION_LACKS",
  );
}
