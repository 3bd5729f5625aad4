import { checkKeys, DataError } from "../errors/errors.ts";
import { drawsPerChain } from "./chains.ts";
import { essBulk, essTail } from "./effective-size.ts";
import { mean, variance } from "./moments.ts";
import { mcseMean, mcseSd } from "./monte-carlo-error.ts";
import { heavierTail } from "./pareto-khat.ts";
import { quantiles } from "./quantile.ts";
import { rhat } from "./rhat.ts";
import { type Figures, finiteRow } from "./summary-row.ts";

/** Options of `summary`. */
export interface SummaryOptions {
  /** Number of chains. */
  readonly chainCount: number;
  /** Probabilities of the quantiles, in [0, 1]. Default [0.05, 0.5, 0.95]. */
  readonly probabilities?: readonly number[];
}

/** Row of one variable in a posterior's summary. */
export interface VariableSummary {
  /** Mean of the draws. */
  readonly mean: number;
  /** Standard deviation of the draws. */
  readonly sd: number;
  /** Monte Carlo standard error of the mean; NaN if the tails are too heavy. */
  readonly mcseMean: number;
  /** Monte Carlo standard error of the standard deviation; NaN if the tails are too heavy. */
  readonly mcseSd: number;
  /** Quantiles by name: q5, q50, q95. */
  readonly quantiles: Readonly<Record<string, number>>;
  /** Effective number of draws for the bulk. */
  readonly essBulk: number;
  /** Effective number of draws for the tails. */
  readonly essTail: number;
  /** R̂: should be below 1.01. */
  readonly rhat: number;
  /** Pareto k̂ of the heavier tail. Above 0.7, the mean has no reliable error estimate. */
  readonly paretoK: number;
}

/** Values of Pareto k̂ above which the mean, or the standard deviation, has no reliable error estimate. */
export const HEAVY_MEAN = 0.7;
export const HEAVY_SD = 0.5;

/**
 * Summary table of a posterior. Each row has a mean, a standard deviation (sd), their Monte Carlo errors, quantiles,
 * effective sizes and R̂.
 *
 * variables: by name ("mu", "theta[3]"), each a float64[chains × draws], chain after chain. All have the same length.
 * The columns are defined in monte-carlo-error.ts, quantile.ts, effective-size.ts and rhat.ts. Quantiles are named
 * "q5", "q50", "q95", or "q2.5" for the probability 0.025. A statistic is NaN if it is undefined, for example for a
 * constant variable or a NaN draw. Errors are also NaN if the tails are too heavy. The error of the mean is NaN if k̂
 * (pareto-khat.ts) is above 0.7. The error of sd is NaN if k̂ is above 0.5, because the variance does not exist then.
 * In those cases, use the quantiles. k̂ = ∞ says nothing about the tails. This value occurs for variables with few
 * distinct integers.
 *
 * @throws OptionError unless chainCount is a positive integer and probabilities lie within [0, 1]; DataError on unequal
 * shapes
 */
export function summary<Name extends string>(
  variables: Readonly<Record<Name, Float64Array>>,
  options: SummaryOptions,
): Record<Name, VariableSummary> {
  checkKeys("summary", options, ["chainCount", "probabilities"]);
  const { chainCount, probabilities = [0.05, 0.5, 0.95] } = options;
  const entries = Object.entries(variables) as [Name, Float64Array][];
  for (const [name, draws] of entries) {
    drawsPerChain(`summary: ${name}`, draws, chainCount);
    if (draws.length === entries[0][1].length) continue;
    const given = `${draws.length} draws, but "${entries[0][0]}" has ${entries[0][1].length}`;
    throw new DataError(`summary: ${name}`, `${given}; give every variable the same draws`, "DRAWS_SHAPE");
  }
  const rows = entries.map(([name, draws]) => [name, summaryRow(draws, chainCount, probabilities)]);
  return Object.fromEntries(rows) as Record<Name, VariableSummary>;
}

/** Returns the row of one variable. The caller must have checked the shape of the draws. */
export function summaryRow(draws: Float64Array, chainCount: number, probabilities?: readonly number[]): VariableSummary {
  const stages = summaryStages(draws, chainCount, probabilities);
  for (;;) {
    const { done, value } = stages.next();
    if (done) return value;
  }
}

/** Computes the same row in stages, so that a page can respond between two stages. */
export function* summaryStages(
  draws: Float64Array,
  chainCount: number,
  probabilities: readonly number[] = [0.05, 0.5, 0.95],
): Generator<void, VariableSummary> {
  const figures = areFinite(draws)
    ? yield* finiteRow(draws, chainCount, probabilities)
    : anyRow(draws, chainCount, probabilities);
  const heavy = Number.isFinite(figures.paretoK) ? figures.paretoK : 0;
  return {
    ...figures,
    mcseMean: heavy > HEAVY_MEAN ? Number.NaN : figures.mcseMean,
    mcseSd: heavy > HEAVY_SD ? Number.NaN : figures.mcseSd,
    quantiles: Object.fromEntries(probabilities.map((probability, i) => [quantileName(probability), figures.quantiles[i]])),
  };
}

/** The percentage is rounded, because 0.07·100 is not exactly 7 in floating point. */
const quantileName = (probability: number): string => `q${Number((probability * 100).toPrecision(12))}`;

function areFinite(x: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false;
  return true;
}

function anyRow(draws: Float64Array, chainCount: number, probabilities: readonly number[]): Figures {
  const tailSize = essTail(draws, chainCount);
  return {
    mean: mean(draws),
    sd: Math.sqrt(variance(draws)),
    mcseMean: mcseMean(draws, chainCount),
    mcseSd: mcseSd(draws, chainCount),
    quantiles: quantiles(draws, probabilities),
    essBulk: essBulk(draws, chainCount),
    essTail: tailSize,
    rhat: rhat(draws, chainCount),
    paretoK: heavierTail(draws, tailSize),
  };
}
