import { checkFunction, plain } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError } from "../../engine/errors/errors.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { psis, psisLoo, quantiles } from "../../engine/statistics/index.ts";
import { mean, variance } from "../../engine/statistics/moments.ts";
import { aligned, axis, short, withMargin } from "./characters.ts";
import { finiteBounds, histogram, type PlotOptions } from "./plots.ts";

/** T: one number of a data set. */
export type Statistic = (values: Float64Array) => number;

/** The statistics that `predictiveCheck` takes by default: mean, sd (of more than one value), min, median, max. */
export const usualStatistics: Readonly<Record<string, Statistic>> = {
  mean,
  sd: (values) => Math.sqrt(variance(values)),
  min: (values) => values.reduce((least, value) => Math.min(least, value), Infinity),
  median: (values) => quantiles(values, [0.5])[0],
  max: (values) => values.reduce((most, value) => Math.max(most, value), -Infinity),
};

/** One statistic of the data, and of data replicated from the draws. */
export interface CheckedStatistic {
  /** T of the data. */
  readonly observed: number;
  /** T of each draw. */
  readonly replicated: Float64Array;
  /** Of the replicated: mean and the central 90 %. */
  readonly mean: number;
  /** The 5 % quantile of the replicated. */
  readonly q5: number;
  /** The 95 % quantile of the replicated. */
  readonly q95: number;
  /** Share of the replicated at or above the observed; equal ones count half. */
  readonly pValue: number;
}

/** What `predictiveCheck` found. */
export interface PredictiveCheck {
  /** Statistics by name. */
  readonly statistics: Readonly<Record<string, CheckedStatistic>>;
  /** Names of statistics with p below 0.025 or above 0.975. */
  readonly suspect: readonly string[];
  /** A table; "!" marks what is suspect. */
  toString(): string;
}

/**
 * Predictive checks: whether data like those observed come out of the model.
 *
 *   const replicated = posterior.predict().draws("y");      // [draw, value], all chains
 *   const check = predictiveCheck(y, replicated);           // p-values of mean, sd, min, median, max
 *   predictiveCheck(y, replicated, { zeros: (y) => y.filter((value) => value === 0).length });
 *   densityOverlay(y, replicated);                          // observed and replicated, as a picture
 *   predictivePit(y, replicated);                           // where each value lies among its replications
 *
 * p = P(T(y_rep) > T(y)) + P(T(y_rep) = T(y))/2 over draws: near 0 or 1, the model does not make such a T(y). It is no
 * significance level: as the same data made the posterior, p lies closer to 1/2 than a uniform number. PIT_i = P(y_rep,i < y_i)
 * + P(y_rep,i = y_i)/2; of LOO-PIT each draw has the Pareto smoothed weight of leaving observation i out, and PITs of
 * continuous data are uniform where the model is right. observed: N values; replicated: float64[draws, N]; logLikelihood:
 * float64[chains · draws, N], as `psisLoo` takes it.
 * Source: Gelman, Meng, Stern 1996; Vehtari, Gelman, Gabry 2017. LOO-PIT equals rstantools' `loo_pit` where nothing ties.
 *
 * @throws DataError [DRAWS_SHAPE] unless N divides the replicated values; OptionError
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
  return { statistics: Object.fromEntries(entries), suspect, toString: () => table(entries, suspect) };
}

function checked(observed: number, replicated: Float64Array): CheckedStatistic {
  const [q5, q95] = quantiles(replicated, [0.05, 0.95]);
  return { observed, replicated, mean: mean(replicated), q5, q95, pValue: 1 - share(replicated, observed) };
}

/** The data sets of the draws: views. */
function dataSets(where: string, { length }: Float64Array, replicated: Float64Array): Float64Array[] {
  if (length > 0 && replicated.length > 0 && replicated.length % length === 0)
    return Array.from({ length: replicated.length / length }, (_, s) => replicated.subarray(s * length, (s + 1) * length));
  const message = `${replicated.length} replicated values are not a multiple of ${length} observed ones`;
  throw new DataError(where, `${message}; give predict().draws(name) of what was observed`, "DRAWS_SHAPE");
}

/** Share of values below a number, those equal counting half; by weight where there are weights, whose sum is 1. NaN where one is. */
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
  return aligned([head, ...rows], [0, 5]);
}

/** Where each observed value lies among its own replications, from 0 to 1. */
export function predictivePit(observed: ArrayLike<number>, replicated: Float64Array): Float64Array {
  const y = Float64Array.from(observed);
  const draws = dataSets("predictivePit", y, replicated);
  return y.map((value, i) => share(column(draws, i), value));
}

/** Options of `looPit`. */
export interface LooPitOptions {
  /** Chains that the draws come from. */
  readonly chainCount: number;
  /** One for all observations, or one for each; default: from the chains. */
  readonly relativeEfficiency?: number | ArrayLike<number>;
}

/** As `predictivePit`, of a posterior that has not seen the value. Not to be trusted where `paretoK` is above 0.7. */
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
 * Observed density ● over the central 90 % of the replicated ones ░, in equal parts of all that was observed and 99 % of what was replicated.
 * `bins`: parts of the range; default min(30, width − 10).
 */
export function densityOverlay(
  observed: ArrayLike<number>,
  replicated: Float64Array,
  options: PlotOptions & { bins?: number } = {},
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
  if (!(low <= high)) return "there is nothing finite to draw";
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
