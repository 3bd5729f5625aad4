import { checkKeys, checkNumber, DataError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import { type CoordinateAscentResult, coordinateAscent, type FactorParameters } from "./coordinate-ascent.ts";
import { dirichletDivergence, expectedLog } from "./dirichlet.ts";
import { expectedLogDeterminant, NormalWishart, type NormalWishartPrior } from "./normal-wishart.ts";

/** Options of `gaussianMixture`. */
export interface GaussianMixtureOptions {
  /** Maximum number of clusters. Clusters that the data do not need become empty. A whole number, 1 to 10,000. */
  components: number;
  /** α₀ of the Dirichlet prior on the weights, > 0. Default 1/components. */
  concentration?: number;
  /** β₀: prior precision of the means, relative to the precision of the components, > 0. Default 0.01. */
  meanPrecision?: number;
  /** ν₀: degrees of freedom of the Wishart prior, above d − 1. Default d + 1. */
  degrees?: number;
  /** Expected variances within a component, as a share of the columns' variances. Default 1/components; > 0. */
  spread?: number;
  /** Number of random starts (k-means++). Only the best start is continued. Default 5; a whole number >= 1. */
  starts?: number;
  /** Seed of the starts. Default 0; a whole number >= 0. */
  seed?: number;
  /** Maximum number of sweeps. Default 1000; a whole number >= 1. */
  iterations?: number;
  /** Relative increase of the ELBO per sweep below which the ascent ends. Default 1e-8; >= 0. */
  tolerance?: number;
}

/** Result of `gaussianMixture`. Arrays are row-major. */
export interface GaussianMixtureResult {
  /** Expected weights E[π], [component]. */
  readonly weights: Float64Array;
  /** Expected means E[μ], [component, d]. */
  readonly means: Float64Array;
  /** Expected covariances V/(ν − d − 1) if ν > d + 1, otherwise V/ν, [component, d, d]. */
  readonly covariances: Float64Array;
  /** q(row n belongs to component k), [n, component]. */
  readonly responsibilities: Float64Array;
  /** Parameters of q(π) (α, [component]) and of each q(μ, Λ) (m, β, ν, V concatenated). */
  readonly parameters: FactorParameters<"assignments" | "weights" | "components">;
  /** ELBO at the start and after each sweep. */
  readonly elbo: Float64Array;
  /** Number of sweeps made. */
  readonly iterations: number;
  /** Whether the ELBO stopped rising. */
  readonly converged: boolean;
}

type Name = "assignments" | "weights" | "components";
const STARTING_SWEEPS = 20;

/**
 * A mixture of Gaussians by coordinate ascent: clusters with locations, shapes and weights, and the uncertainty of
 * each.
 *
 * x_n ~ Σ_k π_k N(μ_k, Λ_k⁻¹), π ~ Dirichlet(α₀, …, α₀), μ_k | Λ_k ~ N(m₀, (β₀Λ_k)⁻¹), Λ_k ~ Wishart(V₀⁻¹, ν₀) with
 * E[Λ] = ν₀ V₀⁻¹. x: float64[n, d], row-major. q = q(assignments) q(π) Π q(μ_k, Λ_k), where q(μ_k, Λ_k) is again
 * Normal–Wishart (m_k, β_k, V_k, ν_k).
 *
 * Updates and ELBO: Bishop 2006, 10.2; V is the inverse of his W. α₀ (`concentration`) 1/`components`: clusters that
 * the data do not need become empty. m₀: the column means; V₀: diagonal, ν₀ times the columns' variances times `spread`
 * (default 1/`components`), so that `spread` is the expected variance within a component relative to the column's
 * variance; ν₀ (`degrees`) = d + 1; β₀ (`meanPrecision`) 0.01.
 *
 * With one component, q is the posterior and the ELBO is the log evidence. Makes `starts` random starts by k-means++
 * from `seed`, and runs 20 sweeps from each start. The best start then continues until `tolerance` or `iterations` is
 * reached.
 *
 * @throws DataError, OptionError
 */
export function gaussianMixture(x: readonly ArrayLike<number>[], given: GaussianMixtureOptions): GaussianMixtureResult {
  const where = "gaussianMixture";
  checkKeys(where, given, [
    "components",
    "concentration",
    "meanPrecision",
    "degrees",
    "spread",
    "starts",
    "seed",
    "iterations",
    "tolerance",
  ]);
  const { components, starts = 5, seed = 0, iterations = 1000, tolerance = 1e-8 } = given;
  checkNumber(where, "components", components, { low: 1, high: 1e4, integer: true });
  checkNumber(where, "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber(where, "starts", starts, { low: 1, high: 1e4, integer: true });
  checkNumber(where, "iterations", iterations, { low: 1, high: 1e9, integer: true });
  const rows = checkedRows(x);
  const { concentration = 1 / components, meanPrecision = 0.01, degrees = rows[0].length + 1, spread = 1 / components } = given;
  checkNumber(where, "concentration", concentration, { low: 0, open: true });
  checkNumber(where, "meanPrecision", meanPrecision, { low: 0, open: true });
  checkNumber(where, "degrees", degrees, { low: rows[0].length - 1, open: true });
  checkNumber(where, "spread", spread, { low: 0, open: true });
  const problem = new Mixture(rows, components, concentration, priorOf(rows, meanPrecision, degrees, spread));
  let best: CoordinateAscentResult<Name> | undefined;
  for (let i = 0; i < starts; i++) {
    const start = problem.start(stream(seed, "mixture", i).at(0));
    const run = coordinateAscent({ ...problem.ascent(start), iterations: Math.min(STARTING_SWEEPS, iterations), tolerance });
    if (!best || run.elbo[run.iterations] > best.elbo[best.iterations]) best = run;
  }
  const begun = best!;
  const left = iterations - begun.iterations;
  const run =
    begun.converged || left < 1
      ? undefined
      : coordinateAscent({ ...problem.ascent(begun.parameters), iterations: left, tolerance });
  const elbo = run ? Float64Array.from([...begun.elbo, ...run.elbo.subarray(1)]) : begun.elbo;
  const last = run ?? begun;
  return printable({
    ...problem.summary(last.parameters),
    parameters: last.parameters,
    elbo,
    iterations: elbo.length - 1,
    converged: last.converged,
  });
}

function checkedRows(x: readonly ArrayLike<number>[]): Float64Array[] {
  const rows = x.map((row) => Float64Array.from(row));
  if (rows.length === 0) throw new DataError("gaussianMixture", "there are no rows; give at least one", "DATA_EMPTY");
  const wrong = rows.findIndex((row) => row.length !== rows[0].length || row.length === 0 || !row.every(Number.isFinite));
  if (wrong >= 0)
    throw new DataError(
      "gaussianMixture",
      `row ${wrong} must have ${rows[0].length} finite numbers, like the first row; drop the row, or fill in missing values`,
      "DATA_SHAPE",
    );
  return rows;
}

function priorOf(rows: readonly Float64Array[], beta: number, nu: number, spread: number): NormalWishartPrior {
  const d = rows[0].length;
  const mean = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) mean[i] += row[i] / rows.length;
  const scale = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const variance = rows.reduce((sum, row) => sum + (row[i] - mean[i]) ** 2, 0) / rows.length;
    scale[i * d + i] = nu * spread * (variance || 1);
  }
  return { mean, beta, nu, scale };
}

class Mixture {
  private readonly rows: readonly Float64Array[];
  private readonly count: number;
  private readonly alpha: number;
  private readonly prior: NormalWishartPrior;

  constructor(rows: readonly Float64Array[], count: number, alpha: number, prior: NormalWishartPrior) {
    this.rows = rows;
    this.count = count;
    this.alpha = alpha;
    this.prior = prior;
  }

  /**
   * Picks `count` rows one after another, with probability proportional to the squared distance to the nearest row
   * picked before. Each row is then assigned to the nearest picked row.
   */
  start(draws: Draws): FactorParameters<Name> {
    const { rows, count } = this;
    const distance = new Float64Array(rows.length).fill(Infinity);
    const assignments = new Float64Array(rows.length * count);
    const nearest = new Uint32Array(rows.length);
    let seedRow = draws.integer(rows.length);
    for (let k = 0; k < count; k++) {
      for (const [n, row] of rows.entries()) {
        const square = row.reduce(
          (sum, v, i) => sum + ((v - rows[seedRow][i]) ** 2 * this.prior.nu) / this.prior.scale[i * row.length + i],
          0,
        );
        if (square < distance[n]) [distance[n], nearest[n]] = [square, k];
      }
      let left = draws.uniform() * distance.reduce((sum, v) => sum + v, 0);
      seedRow = Math.max(
        0,
        distance.findIndex((v) => (left -= v) < 0),
      );
    }
    for (const [n, k] of nearest.entries()) assignments[n * count + k] = 1;
    const q = { assignments, weights: new Float64Array(0), components: new Float64Array(0) };
    return { ...q, weights: this.weights(q), components: this.components(q) };
  }

  ascent(start: FactorParameters<Name>) {
    return {
      start,
      factors: {
        assignments: (q: FactorParameters<Name>) => this.assignments(q),
        weights: (q: FactorParameters<Name>) => this.weights(q),
        components: (q: FactorParameters<Name>) => this.components(q),
      },
      elbo: (q: FactorParameters<Name>) => this.elbo(q),
    };
  }

  summary({ assignments, weights, components }: FactorParameters<Name>) {
    const total = weights.reduce((sum, v) => sum + v, 0);
    const each = this.each(components);
    return {
      weights: weights.map((v) => v / total),
      means: Float64Array.from(each.flatMap(({ mean }) => [...mean])),
      covariances: Float64Array.from(each.flatMap((q) => [...q.covariance()])),
      responsibilities: assignments,
    };
  }

  private each(components: Float64Array): NormalWishart[] {
    const size = components.length / this.count;
    return Array.from({ length: this.count }, (_, k) =>
      NormalWishart.from(components.subarray(k * size, (k + 1) * size), this.prior),
    );
  }

  /** E[log π_k N(x_n | μ_k, Λ_k⁻¹)], [n, component]. */
  private scores({ weights, components }: FactorParameters<Name>): Float64Array {
    const logs = expectedLog(weights);
    const each = this.each(components);
    const constants = each.map((q, k) => logs[k] + 0.5 * expectedLogDeterminant(q));
    const scores = new Float64Array(this.rows.length * this.count);
    for (const [n, row] of this.rows.entries())
      for (const [k, q] of each.entries()) scores[n * this.count + k] = constants[k] + q.expectedLogKernel(row);
    return scores;
  }

  private assignments(q: FactorParameters<Name>): Float64Array {
    const scores = this.scores(q);
    for (let from = 0; from < scores.length; from += this.count) {
      const own = scores.subarray(from, from + this.count);
      const largest = own.reduce((most, v) => Math.max(most, v), -Infinity);
      let total = 0;
      for (let k = 0; k < own.length; k++) total += own[k] = exp(own[k] - largest);
      for (let k = 0; k < own.length; k++) own[k] /= total;
    }
    return scores;
  }

  private weights({ assignments }: Pick<FactorParameters<Name>, "assignments">): Float64Array {
    const alpha = new Float64Array(this.count).fill(this.alpha);
    for (let at = 0; at < assignments.length; at++) alpha[at % this.count] += assignments[at];
    return alpha;
  }

  private components({ assignments }: Pick<FactorParameters<Name>, "assignments">): Float64Array {
    const all = Array.from({ length: this.count }, (_, k) => {
      const shares = this.rows.map((_, n) => assignments[n * this.count + k]);
      return NormalWishart.given(this.rows, shares, this.prior).parameters();
    });
    return Float64Array.from(all.flatMap((one) => [...one]));
  }

  /** Σ r (E log π_k N − log r) − KL(q(π) ‖ p) − Σ KL(q(μ_k, Λ_k) ‖ p). */
  private elbo(q: FactorParameters<Name>): number {
    const scores = this.scores(q);
    let sum = 0;
    for (const [at, r] of q.assignments.entries()) if (r > 0) sum += r * (scores[at] - log(r));
    return (
      sum - dirichletDivergence(q.weights, this.alpha) - this.each(q.components).reduce((all, one) => all + one.divergence(), 0)
    );
  }
}
