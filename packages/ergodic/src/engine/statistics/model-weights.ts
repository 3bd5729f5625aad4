/**
 * Weights of models, computed from each model's prediction of each observation given all other observations: log p(y_i
 * | y_−i, M_k) in nats.
 *
 * Stacking: the weights w in the simplex that maximise Σ_i log Σ_k w_k exp(elpd_ik). These weights give the mixture of
 * models that predicts best. If a model adds nothing to another model, its weight is 0. The objective is concave.
 * Expectation–maximisation, and Newton's method on the free weights, find the maximum up to a proven gap: no other
 * weights exceed the objective at w by more than N·(max_k mean_i p_ik/Σ_j w_j p_ij − 1).
 *
 * Pseudo-BMA+: the mean over Bayesian bootstraps z ~ Dirichlet(1, …, 1) of the weights ∝ exp(N Σ_i z_i elpd_ik).
 * Pseudo-BMA+ takes the variation between samples of observations into account.
 *
 * Source: Yao, Vehtari, Simpson, Gelman 2018; the gap is from Lindsay 1983. The weights equal those of
 * loo_model_weights() in R's loo, except that its optimiser stops earlier.
 */
import { solvePositive } from "../numbers/cholesky.ts";
import { exp } from "../numbers/exp.ts";
import { log } from "../numbers/log.ts";
import { stream } from "../random/stream.ts";

/** Gap in nats at which the optimiser stops. No mixture can be better by more than this gap. */
const GAP = 1e-10;
const MOST_STEPS = 1000;
const RIDGE = 1e-8;
/** Smallest weight that counts as free. Smaller weights are held at 0. */
const FREE = 1e-14;
const REPLICATES = 1000;

/** Returns stacking weights. elpd: float64[N] per model. */
export function stackingWeights(elpd: readonly Float64Array[]): Float64Array {
  const [count, observations] = [elpd.length, elpd[0].length];
  const likelihoods = relative(elpd);
  let weights = new Float64Array(count).fill(1 / count);
  for (let step = 0; step < MOST_STEPS; step++) {
    const at = look(likelihoods, weights);
    if (observations * (at.slope.reduce((a, b) => Math.max(a, b)) - 1) <= GAP) break;
    const em = weights.map((weight, k) => weight * at.slope[k]);
    const newton = newtonStep(likelihoods, weights, at);
    weights = newton && look(likelihoods, newton).value > look(likelihoods, em).value ? newton : em;
  }
  return weights;
}

/** Returns exp(elpd) divided by the value of the best model for the observation: [model][observation], in [0, 1]. */
function relative(elpd: readonly Float64Array[]): Float64Array[] {
  const best = elpd[0].map((_, i) => elpd.reduce((most, own) => Math.max(most, own[i]), -Infinity));
  return elpd.map((own) => own.map((value, i) => exp(value - best[i])));
}

interface Look {
  /** Mean log density of the mixture. */
  readonly value: number;
  /** Density of the mixture at each observation. */
  readonly mixture: Float64Array;
  /**
   * Values mean_i p_ik / mixture_i. At the optimum, a slope is 1 for a free weight, and at most 1 for a weight of 0.
   */
  readonly slope: Float64Array;
}

function look(likelihoods: readonly Float64Array[], weights: Float64Array): Look {
  const mixture = likelihoods[0].map((_, i) => likelihoods.reduce((sum, own, k) => sum + weights[k] * own[i], 0));
  const { length } = mixture;
  const slope = Float64Array.from(likelihoods, (own) => own.reduce((sum, p, i) => sum + p / mixture[i], 0) / length);
  return { value: mixture.reduce((sum, f) => sum + log(f), 0) / length, mixture, slope };
}

/**
 * Returns the weights after a Newton step of the free weights, projected to the simplex. The step is halved until the
 * objective increases. Undefined if no step does.
 */
function newtonStep(likelihoods: readonly Float64Array[], weights: Float64Array, { value, mixture, slope }: Look) {
  const free = [...weights.keys()].filter((k) => weights[k] > FREE || slope[k] > 1);
  const size = free.length;
  const curvature = new Float64Array(size * size);
  free.forEach((k, a) => {
    for (let b = 0; b <= a; b++) {
      const other = likelihoods[free[b]];
      curvature[a * size + b] = likelihoods[k].reduce((sum, p, i) => sum + (p / mixture[i]) * (other[i] / mixture[i]), 0);
      curvature[a * size + b] /= mixture.length;
    }
    // If models are alike, the curvature is singular.
    curvature[a * size + a] += RIDGE + RIDGE * curvature[a * size + a];
  });
  // The step maximises mean log(mixture) − Σ w over w ≥ 0. The maximum of this function lies on the simplex.
  const step = Float64Array.from(free, (k) => slope[k] - 1);
  if (!solvePositive(curvature, step)) return undefined;
  for (let length = 1; length > 1e-3; length /= 2) {
    const next = weights.slice();
    free.forEach((k, a) => {
      next[k] = Math.max(0, weights[k] + length * step[a]);
    });
    const sum = next.reduce((total, weight) => total + weight, 0);
    const scaled = next.map((weight) => weight / sum);
    if (look(likelihoods, scaled).value > value) return scaled;
  }
  return undefined;
}

/** Returns pseudo-BMA+ weights. elpd: float64[N] per model; `seed`: seed of the bootstrap. */
export function pseudoBmaWeights(elpd: readonly Float64Array[], seed: number): Float64Array {
  const [count, observations] = [elpd.length, elpd[0].length];
  const weights = new Float64Array(count);
  const random = stream(seed, "compare");
  const shares = new Float64Array(observations);
  for (let b = 0; b < REPLICATES; b++) {
    const draws = random.at(b);
    let total = 0;
    for (let i = 0; i < observations; i++) total += shares[i] = draws.exponential();
    const sums = Float64Array.from(
      elpd,
      (own) => (observations * own.reduce((sum, value, i) => sum + shares[i] * value, 0)) / total,
    );
    const best = sums.reduce((a, x) => Math.max(a, x));
    const powers = sums.map((sum) => exp(sum - best));
    const all = powers.reduce((a, x) => a + x, 0);
    for (let k = 0; k < count; k++) weights[k] += powers[k] / all / REPLICATES;
  }
  return weights;
}
