import { less, lessEqual, type SymbolicArray, sub, toArray, where } from "../../engine/compiler/index.ts";
import { operation, options } from "../../engine/compiler/signature.ts";
import { CapabilityError, CompileError } from "../../engine/errors/errors.ts";
import { withUserLine } from "../model/user-line.ts";
import { joined, partOf } from "./components.ts";
import type { Support, Values } from "./constraint.ts";
import { checkOrder, type Parameter, parameterArray } from "./distribution.ts";
import type { DataCheck, Family, SymbolicParameters } from "./family.ts";
import { distributionKind, parameter } from "./kinds.ts";
import { logBetween } from "./truncated.ts";
import { Distribution } from "./value.ts";

/** Censoring of observed values: limits on recorded values, or known bounds on some values. */
export interface Censoring {
  /**
   * Lower limit, such as the smallest measurable value. Values at or below the lower limit are recorded as this limit.
   */
  readonly lower?: Parameter;
  /**
   * Upper limit, such as the largest measurable value or the end of a trial. Values at or above the upper limit are
   * recorded as this limit.
   */
  readonly upper?: Parameter;
  /** Flags of right-censored values: 1 if the value is only known to be at least the observed one, otherwise 0. */
  readonly right?: Parameter;
  /** Flags of left-censored values: 1 if the value is only known to be at most the observed one, otherwise 0. */
  readonly left?: Parameter;
  /**
   * Upper ends of intervals. If the end for a value exceeds the observed value, the true value is only known to lie
   * between the two.
   */
  readonly until?: Parameter;
}

/**
 * Distribution for `observe` if some of the numbers are censored, that is, known only within bounds.
 *
 * A value that is observed exactly contributes log f(x). Other values contribute log P(X ≥ x), log P(X ≤ x) or log P(x
 * ≤ X ≤ until), computed in the tail in which it is exact. The base must have log distribution functions.
 *
 * With `lower` and `upper`, draws and predictions are values as they would be recorded, within the limits. With
 * `right`, `left` or `until`, draws are the uncensored values, because it is unknown how new values will be censored.
 *
 * @param base distribution of the uncensored numbers, with log distribution functions
 * @param censoring `lower` and `upper`: limits of what can be recorded. `right`, `left`: 1 for each value known only as
 *   a lower or upper bound. `until`: upper end of each interval
 * @throws CompileError unless the base is a distribution of numbers and something is censored; OptionError if the
 *   limits are in the wrong order; CapabilityError if the base has no log distribution function
 *
 * @example
 * ```ts
 * observe(t, censored(weibull(k, scale), { upper: 2 }));                 // machines that still run after 2 years have t = 2
 * observe(y, censored(normal(mu, sigma), { lower: 0.1, upper: 50 }));    // an instrument's range
 * observe(t, censored(weibull(k, scale), { right: running }));           // if running is 1: at least t
 * observe(from, censored(lognormal(mu, sigma), { until }));              // between from and until; exact if they are equal
 * ```
 */
export const censored = operation(
  "censored",
  {
    base: distributionKind,
    censoring: options({ lower: parameter, upper: parameter, right: parameter, left: parameter, until: parameter }),
  },
  (base: Distribution, censoring: Censoring): Distribution => withUserLine(() => hidden(base, censoring)),
);

function hidden(base: Distribution, { lower, upper, right, left, until }: Censoring): Distribution {
  const given = Object.entries({ lower, upper, right, left, until }).filter(([, value]) => value !== undefined);
  if (base.eventRank !== 0 || given.length === 0)
    throw new CompileError(
      "censored",
      `the base is ${base.name}, and ${given.map(([name]) => name).join(", ") || "nothing"} is given, but it needs a distribution of single numbers, and at least one of lower, upper, right, left, until`,
      "COMPILE_OPERAND",
    );
  const f = base.family;
  checkKnown(f, lower !== undefined || left !== undefined, upper !== undefined || right !== undefined, until !== undefined);
  const parts = joined([base]);
  const limits: Record<string, SymbolicArray> = {};
  if (lower !== undefined) limits.lower = parameterArray("censored", "lower", "real", lower);
  if (upper !== undefined) limits.upper = parameterArray("censored", "upper", "real", upper);
  checkOrder("censored", limits, ["lower", "upper"]);
  // Each value's censoring is data rather than a parameter, so new values do not need it.
  const [isRight, isLeft] = [right, left].map((flags) => flags !== undefined && less(0.5, asArray(flags)));
  const last = until === undefined ? undefined : asArray(until);
  const limited = Object.keys(limits).length > 0;
  const own = (v: Values): Values => partOf(v, 0);
  const flag = (name: string, bound: string, given: Parameter | undefined): DataCheck[] =>
    given === undefined
      ? []
      : [
          {
            name,
            array: asArray(given),
            isWrong: (value) => value !== 0 && value !== 1,
            wanted: `1 if the value is only known to be at ${bound} the observed one, else 0`,
          },
        ];
  const order: DataCheck[] = last
    ? [
        {
          name: "until",
          array: last,
          isWrong: (value, seen) => Number.isNaN(value) || value < seen,
          wanted: "at least what was observed there, and equal to it where that is exact",
        },
      ]
    : [];
  const family: Family = {
    name: "censored",
    kind: base.kind,
    dataChecks: [...flag("right", "least", right), ...flag("left", "most", left), ...order],
    hides: right !== undefined || left !== undefined || last !== undefined,
    constraints: { ...parts.constraints, ...Object.fromEntries(Object.keys(limits).map((name) => [name, "real"] as const)) },
    support: (p) => supportOf(f.support(partOf(p, 0)), p),
    logDensity(x, p) {
      const parameters = partOf(p, 0);
      const atLeast = (low: SymbolicArray): SymbolicArray => f.logSurvival!(before(f, low), parameters);
      const atMost = (high: SymbolicArray): SymbolicArray => f.logCdf!(high, parameters);
      let term = f.logDensity(x, parameters);
      if (last) term = where(less(x, last), logBetween(f, parameters, before(f, x), last), term);
      if (isLeft) term = where(isLeft, atMost(x), term);
      if (isRight) term = where(isRight, atLeast(x), term);
      if (p.lower) term = where(lessEqual(x, p.lower), atMost(p.lower), term);
      if (p.upper) term = where(lessEqual(p.upper, x), atLeast(p.upper), term);
      return term;
    },
    sample(draws, v) {
      const { lower: low = -Infinity, upper: high = Infinity } = v as Readonly<Record<string, number>>;
      return Math.min(high, Math.max(low, f.sample(draws, own(v)) as number));
    },
    ...(!limited && f.mean && { mean: (v) => f.mean!(own(v)) }),
    ...(!limited && f.variance && { variance: (v) => f.variance!(own(v)) }),
  };
  return new Distribution(family, { ...parts.parameters, ...limits });
}

const asArray = (given: Parameter): SymbolicArray => toArray(given as SymbolicArray | number | ArrayLike<number>);

/** P(X > before(x)) = P(X ≥ x). */
const before = (f: Family, x: SymbolicArray): SymbolicArray => (f.kind === "discrete" ? sub(x, 1) : x);

function checkKnown(f: Family, below: boolean, above: boolean, between: boolean): void {
  if ((f.logCdf || !(below || between)) && (f.logSurvival || !(above || between))) return;
  throw new CapabilityError(
    "censored",
    `the probability of ${f.name} beyond a bound is not known for symbolic parameters; use a distribution with an elementary distribution function (see docs/distributions.md)`,
    "DISTRIBUTION_LACKS",
  );
}

/** Replaces the bounds of the support with the limits. The limits themselves are possible values. */
function supportOf(base: Support, { lower: low, upper: high }: SymbolicParameters): Support {
  if (base.kind !== "interval" && base.kind !== "integers") return base;
  return { ...base, ...(low && { low }), ...(high && { high }) };
}
