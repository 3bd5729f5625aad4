import { checkFunction, plain } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { psis, psisLoo, quantiles } from "../../engine/statistics/index.ts";
import { mean, variance } from "../../engine/statistics/moments.ts";
import { aligned, axis, short, withMargin } from "./characters.ts";
import { finiteBounds, histogram, type PlotOptions } from "./plots.ts";

/** Test statistic T: one number computed from a data set. */
export type Statistic = (values: Float64Array) => number;

/** Default statistics of `predictiveCheck`: mean, sd (for more than one value), min, median, max. */
export const usualStatistics: Readonly<Record<string, Statistic>> = {
  mean,
  sd: (values) => Math.sqrt(variance(values)),
  min: (values) => values.reduce((least, value) => Math.min(least, value), Infinity),
  median: (values) => quantiles(values, [0.5])[0],
  max: (values) => values.reduce((most, value) => Math.max(most, value), -Infinity),
};

/** A statistic of the data, and of the data sets replicated from the draws. */
export interface CheckedStatistic {
  /** T of the observed data. */
  readonly observed: number;
  /** T of each replicated data set, one per draw. */
  readonly replicated: Float64Array;
  /** Mean of the replicated values. */
  readonly mean: number;
  /** 5 % quantile of the replicated values. */
  readonly q5: number;
  /** 95 % quantile of the replicated values. */
  readonly q95: number;
  /** Share of replicated values at or above the observed one; ties count half. */
  readonly pValue: number;
}

/** Result of `predictiveCheck`. */
export interface PredictiveCheck {
  /** Statistics by name. */
  readonly statistics: Readonly<Record<string, CheckedStatistic>>;
  /** Names of statistics with p below 0.025 or above 0.975. */
  readonly suspect: readonly string[];
  /** Formats a table in which "!" marks suspect statistics. */
  toString(): string;
}

/**
 * Predictive checks: whether the model generates data like those observed.
 *
 * p = P(T(y_rep) > T(y)) + P(T(y_rep) = T(y))/2 over draws. If p is near 0 or 1, the model hardly ever generates data
 * with a value of T like the observed T(y). p is not a significance level: the same data informed the posterior, so p
 * tends to be closer to 1/2 than a uniformly distributed number.
 *
 * PIT_i = P(y_rep,i < y_i) + P(y_rep,i = y_i)/2. For LOO-PIT, draws are weighted by Pareto-smoothed importance weights
 * for the posterior without observation i. If the model is right, the PITs of continuous data are uniform.
 *
 * observed: N values; replicated: float64[draws, N]; logLikelihood: float64[chains · draws, N], as in `psisLoo`.
 *
 * Source: Gelman, Meng, Stern 1996; Vehtari, Gelman, Gabry 2017. LOO-PIT equals rstantools' `loo_pit` if there are no
 * ties.
 *
 * @throws DataError [DRAWS_SHAPE] unless N divides the number of replicated values; OptionError
 *
 * @example
 * ```ts
 * const replicated = posterior.predict().draws("y");      // [draw, value], all chains
 * const check = predictiveCheck(y, replicated);           // p-values of mean, sd, min, median, max
 * predictiveCheck(y, replicated, { zeros: (y) => y.filter((value) => value === 0).length });
 * densityOverlay(y, replicated);                          // observed and replicated, as a picture
 * predictivePit(y, replicated);                           // where each value lies among its replications
 * ```
 */
export function predictiveCheck(
  observed: ArrayLike<number>,
  replicated: Float64Array,
  statistics?: Readonly<Record<string, Statistic>>,
): PredictiveCheck {
  const y = Float64Array.from(observed);
  const { sd: _, ...ofOne } = usualStatistics;
  const asked = statistics ?? (y.length === 1 ? ofOne : usualStatistics);
  for (const [name, of] of Object.entries(plain("predictiveCheck.statistics", asked)))
    checkFunction("predictiveCheck.statistics", name, of, "a function of the values", "(y) => Math.max(...y)");
  const draws = dataSets("predictiveCheck", y, replicated);
  const entries = Object.entries(asked).map(([name, of]) => [name, checked(of(y), Float64Array.from(draws, of))] as const);
  const suspect = entries.filter(([, { pValue }]) => !(pValue >= 0.025 && pValue <= 0.975)).map(([name]) => name);
  return printable({ statistics: Object.fromEntries(entries), suspect }, () => table(entries, suspect));
}

function checked(observed: number, replicated: Float64Array): CheckedStatistic {
  const [q5, q95] = quantiles(replicated, [0.05, 0.95]);
  return { observed, replicated, mean: mean(replicated), q5, q95, pValue: 1 - share(replicated, observed) };
}

/** Returns one view of the replicated values per draw. */
function dataSets(where: string, { length }: Float64Array, replicated: Float64Array): Float64Array[] {
  if (length > 0 && replicated.length > 0 && replicated.length % length === 0)
    return Array.from({ length: replicated.length / length }, (_, s) => replicated.subarray(s * length, (s + 1) * length));
  const message = `${replicated.length} replicated values are not a multiple of ${length} observed ones`;
  throw new DataError(where, `${message}; give predict().draws(name) with the name of what was observed`, "DRAWS_SHAPE");
}

/** Share of values below a number, with ties counting half. Optional weights must sum to 1. NaN if a value is NaN. */
function share(values: Float64Array, at: number, weights?: Float64Array): number {
  let sum = 0;
  for (let s = 0; s < values.length; s++) {
    const below = values[s] < at ? 1 : values[s] === at ? 0.5 : values[s] > at ? 0 : Number.NaN;
    sum += below * (weights ? weights[s] : 1);
  }
  return weights ? sum : sum / values.length;
}

function table(entries: readonly (readonly [string, CheckedStatistic])[], suspect: readonly string[]): string {
  const head = ["", "observed", "replicated", "5 %", "95 %", "p"];
  const rows = entries.map(([name, { observed, mean: centre, q5, q95, pValue }]) => [
    name,
    ...[observed, centre, q5, q95].map(short),
    `${pValue.toFixed(3)}${suspect.includes(name) ? " !" : ""}`,
  ]);
  const legend = "p: share of replicated data sets whose statistic is at least the observed one; near 0 or 1 (!), it is suspect";
  return `${aligned([head, ...rows], [0, 5])}\n${legend}`;
}

/** Position of each observed value among its replications, from 0 to 1. */
export function predictivePit(observed: ArrayLike<number>, replicated: Float64Array): Float64Array {
  const y = Float64Array.from(observed);
  const draws = dataSets("predictivePit", y, replicated);
  return y.map((value, i) => share(column(draws, i), value));
}

/** Options of `looPit`. */
export interface LooPitOptions {
  /** Number of chains that the draws come from. */
  readonly chainCount: number;
  /**
   * Relative efficiency: one number for all observations, or one number per observation. Default: estimated from the
   * chains.
   */
  readonly relativeEfficiency?: number | ArrayLike<number>;
}

/**
 * Computes `predictivePit` of each observation under the posterior that excludes this observation. The result is
 * unreliable for observations with a `paretoK` above 0.7.
 */
export function looPit(
  observed: ArrayLike<number>,
  replicated: Float64Array,
  logLikelihood: Float64Array,
  options: LooPitOptions,
): { pit: Float64Array; paretoK: Float64Array } {
  checkKeys("looPit", options, ["chainCount", "relativeEfficiency"]);
  const y = Float64Array.from(observed);
  const draws = dataSets("looPit", y, replicated);
  if (logLikelihood.length !== replicated.length)
    throw new DataError(
      "looPit",
      `there are ${logLikelihood.length} log likelihoods, but ${replicated.length} replicated values; give one for each`,
      "DRAWS_SHAPE",
    );
  const { relativeEfficiency, paretoK } = psisLoo(logLikelihood, { ...options, observationCount: y.length }).pointwise;
  const likelihoods = dataSets("looPit", y, logLikelihood);
  const pit = y.map((value, i) => {
    const { logWeights } = psis(
      column(likelihoods, i).map((log) => -log),
      { relativeEfficiency: relativeEfficiency[i] },
    );
    return share(column(draws, i), value, logWeights.map(exp));
  });
  return { pit, paretoK };
}

const column = (rows: readonly Float64Array[], i: number): Float64Array => Float64Array.from(rows, (row) => row[i]);

/**
 * Draws the density of the observed data ● over the central 90 % of the replicated densities ░. Bins are equal parts of
 * the range that contains all observed values and 99 % of the replicated values.
 */
export function densityOverlay(
  observed: ArrayLike<number>,
  replicated: Float64Array,
  options: PlotOptions & {
    /** Number of bins, a whole number from 1 to width − 10. Default min(30, width − 10). */
    bins?: number;
  } = {},
): string {
  checkKeys("densityOverlay", options, ["width", "height", "bins"]);
  const { width = 72, height = 10 } = options;
  checkNumber("densityOverlay", "width", width, { low: 24, high: 10_000, integer: true });
  const { bins = Math.min(30, width - 10) } = options;
  checkNumber("densityOverlay", "height", height, { low: 2, high: 10_000, integer: true });
  checkNumber("densityOverlay", "bins", bins, { low: 1, high: width - 10, integer: true });
  const y = Float64Array.from(observed);
  const draws = dataSets("densityOverlay", y, replicated);
  const ends = quantiles(replicated.filter(Number.isFinite), [0.005, 0.995]);
  const [low, high] = finiteBounds(Float64Array.of(...finiteBounds(y), ...ends));
  if (!(low <= high)) return "there are no finite values to draw";
  const shares = (values: Float64Array): number[] => histogram(values, low, high, bins).map((count) => count / values.length);
  const own = shares(y);
  const each = draws.map(shares);
  const bands = own.map((_, j) =>
    quantiles(
      Float64Array.from(each, (one) => one[j]),
      [0.05, 0.95],
    ),
  );
  const most = Math.max(...own, ...bands.map(([, top]) => top));
  const margin = 6;
  const wide = Math.floor((width - margin - 2) / bins);
  const rowOf = (value: number): number => height - 1 - Math.round((value / most) * (height - 1));
  const lines = Array.from({ length: height }, (_, line) =>
    own
      .map((value, j) => {
        if (rowOf(value) === line) return "●".padStart(Math.ceil(wide / 2)).padEnd(wide);
        return (line >= rowOf(bands[j][1]) && line <= rowOf(bands[j][0]) ? "░" : " ").repeat(wide);
      })
      .join(""),
  );
  const labels = Array.from({ length: height }, (_, line) =>
    line === 0 ? `${short(100 * most)} %` : line === height - 1 ? "0 %" : "",
  );
  const legend = `${" ".repeat(margin + 2)}● observed  ░ 90 % of ${draws.length} replicated`;
  return [...withMargin(lines, labels, margin), ...axis(margin, wide * bins, short(low), short(high)), legend].join("\n");
}
