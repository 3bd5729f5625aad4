/**
 * Variables in which the objective of a linear model has nearly equal curvature in all directions, so that L-BFGS needs
 * tens of steps instead of hundreds if columns have different scales, large means or strong correlations.
 *
 * For output k, with weights p and intercept b: u = Lᵀ p and c = √h (b + mᵀ p / one), where L Lᵀ = h C + l2 W. C:
 * covariance of the columns, or their second moments if there is no intercept. m: means of the columns. h: estimate of
 * the mean curvature of the loss. W: penalty weights. one: value of the intercept's column. L is a full Cholesky factor
 * if it is cheap, else diagonal. The means only enter the parameters, so sparse rows stay sparse.
 *
 * Outputs with a joint loss can shift together without changing the loss. The mean of p over outputs is subtracted,
 * because a penalty is smallest there, and weights without a penalty are then unique.
 */
import type { ChangeOfVariables, Penalty } from "../../../engine/contract/index.ts";
import { storedCount } from "../../../engine/data/conversion.ts";
import { inTurns } from "../../../engine/threads/steps.ts";
import { squaredLoss } from "../losses/squared.ts";
import { bindHessian } from "./hessian.ts";
import type { LinearParts } from "./parts.ts";

/** Maximum time to compute second moments, in units of a gradient. A run takes tens of gradients. */
const MOST_GRADIENTS = 10;
/** Maximum number of values in the factors of all outputs, and maximum number of operations to compute the factors. */
const MOST = { values: 4e6, operations: 1e9 };
/**
 * Mean curvature of a class, relative to the curvature at weights of 0. Trained models are certain of most rows, whose
 * curvature is then small. With 1 instead, models of well separated classes and weak penalties needed twice the steps.
 */
const CERTAINTY = 0.1;
/** Share of each variance that is added to it, which bounds the variables of collinear columns. */
const RIDGE = 1e-6;
/** Smallest variance of a column, relative to its mean square. Smaller variances are rounding errors. */
const ROUNDING = 1e-13;

/** Means and second moments of the columns, weighted like rows in the objective. */
interface Moments {
  readonly mean: Float64Array;
  /** Variance of each column; the mean square if there is no intercept. */
  readonly variance: Float64Array;
  /** Covariances: lower triangle with rows of `width` numbers. Undefined if only variances are known. */
  readonly covariance: { readonly values: Float64Array; readonly width: number } | undefined;
}

/** Measures the columns, and returns the change of variables. */
export async function bindPreconditioner(parts: LinearParts, penalty: Penalty): Promise<ChangeOfVariables> {
  const { data, options, stride } = parts;
  const { outputs, intercept } = options;
  const count = data.columnCount;
  const moments = isCheap(parts) ? await covarianceOf(parts) : variancesOf(parts);
  const size = meanWeight(parts);
  const curvature = curvatures(parts);
  const factors = curvature.map((h, k) => factorOf(moments, h, penalty, k * stride));
  const roots = curvature.map((h) => Math.sqrt(h * size));
  const { mean } = moments;
  const { one } = data.layout;
  const centred = options.loss.joint === true && outputs > 1;
  return {
    toParameters(u, p) {
      for (let k = 0; k < outputs; k++) {
        const own = p.subarray(k * stride, (k + 1) * stride);
        own.set(u.subarray(k * stride, (k + 1) * stride));
        factors[k].solveTransposed(own);
        if (!intercept) continue;
        own[count] /= roots[k];
        for (let j = 0; j < count; j++) own[count] -= (mean[j] * own[j]) / one;
      }
      if (centred) centre(p, outputs, stride);
    },
    fromParameters(p) {
      const u = p.slice();
      for (let k = 0; k < outputs; k++) {
        const own = u.subarray(k * stride, (k + 1) * stride);
        if (intercept) {
          for (let j = 0; j < count; j++) own[count] += (mean[j] * own[j]) / one;
          own[count] *= roots[k];
        }
        factors[k].multiplyTransposed(own);
      }
      return u;
    },
    toGradient(g) {
      if (centred) centre(g, outputs, stride);
      for (let k = 0; k < outputs; k++) {
        const own = g.subarray(k * stride, (k + 1) * stride);
        if (intercept) {
          for (let j = 0; j < count; j++) own[j] -= (mean[j] * own[count]) / one;
          own[count] /= roots[k];
        }
        factors[k].solve(own);
      }
    },
  };
}

/** Subtracts the mean over outputs from each parameter. */
function centre(p: Float64Array, outputs: number, stride: number): void {
  for (let j = 0; j < stride; j++) {
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += p[k * stride + j];
    for (let k = 0; k < outputs; k++) p[k * stride + j] -= sum / outputs;
  }
}

function isCheap({ data, options: { outputs } }: LinearParts): boolean {
  const { columnCount, rowCount, layout } = data;
  const entries = storedCount(layout) / rowCount;
  // A second moment takes entries² / 2 products per row, a gradient 2 × entries × outputs.
  return (
    entries <= 4 * outputs * MOST_GRADIENTS &&
    outputs * columnCount ** 2 <= MOST.values &&
    (outputs * columnCount * columnCount * columnCount) / 6 <= MOST.operations
  );
}

/** Mean weight of the rows in the objective. */
function meanWeight({ engine, weights, data: { rowCount } }: LinearParts): number {
  if (!weights) return 1;
  return engine.memory.f64(weights, rowCount).reduce((sum, w) => sum + w, 0) / rowCount;
}

/** The Hessian of squared loss is the matrix of second moments. */
async function covarianceOf(parts: LinearParts): Promise<Moments> {
  const { data, options, columns } = parts;
  const count = data.columnCount;
  const { one } = data.layout;
  const squares = bindHessian({ ...parts, target: data.layout.target, options: { ...options, loss: squaredLoss(), outputs: 1 } });
  const { width } = squares;
  const { hessian } = await inTurns(squares.at(new Float64Array(columns), 0));
  const values = hessian.slice();
  squares.dispose();
  const mean = new Float64Array(count);
  const variance = Float64Array.from(mean, (_, j) => values[j * (width + 1)]);
  if (options.intercept) {
    const weight = meanWeight(parts);
    for (let j = 0; j < count; j++) mean[j] = values[count * width + j] / (one * weight);
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) values[i * width + j] -= weight * mean[i] * mean[j];
    for (let j = 0; j < count; j++) {
      const rest = values[j * (width + 1)];
      variance[j] = rest > ROUNDING * variance[j] ? rest : 0;
    }
  }
  return { mean, variance, covariance: { values, width } };
}

function variancesOf(parts: LinearParts): Moments {
  const { mean, deviation, rootMeanSquare } = parts.data.columnMoments();
  const weight = meanWeight(parts);
  if (parts.options.intercept) return { mean, variance: deviation.map((s) => weight * s * s), covariance: undefined };
  return { mean: mean.fill(0), variance: rootMeanSquare.map((s) => weight * s * s), covariance: undefined };
}

/**
 * Estimated mean curvature of the loss for each output: proportional to π (1 − π) for a class of share π. Other losses:
 * their largest curvature, or the mean target of counts.
 */
function curvatures({ data, engine, weights, options }: LinearParts): number[] {
  const { loss, outputs } = options;
  const { values } = data.target;
  const own = weights ? engine.memory.f64(weights, data.rowCount) : undefined;
  const meanOf = (value: (y: number) => number): number => {
    let [sum, all] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const w = own ? own[i] : 1;
      sum += w * value(values[i]);
      all += w;
    }
    return sum / all;
  };
  if (loss.task === "count") return [meanOf((y) => y) || 1];
  if (loss.task === "regression") return [loss.curvature ?? 1];
  const least = 1 / data.rowCount;
  return Array.from({ length: outputs }, (_, k) => {
    const share = meanOf((y) => Number(outputs > 1 ? y === k : y > 0));
    return CERTAINTY * Math.max(least, share * (1 - share));
  });
}

/** Invertible lower triangle L: in-place products and solutions of its leading part of a vector. */
interface Factor {
  /** x ← L⁻¹ x. */
  solve(x: Float64Array): void;
  /** x ← L⁻ᵀ x. */
  solveTransposed(x: Float64Array): void;
  /** x ← Lᵀ x. */
  multiplyTransposed(x: Float64Array): void;
}

/** Returns the factor of h C + l2 W, where the weights in W start at `first`. */
function factorOf({ variance, covariance }: Moments, h: number, { l2, weights }: Penalty, first: number): Factor {
  const pull = (j: number): number => (l2 > 0 ? l2 * weights[first + j] : 0);
  const diagonal = variance.map((v, j) => h * (covariance ? 1 + RIDGE : 1) * v + pull(j) || 1);
  return covariance ? triangle(diagonal, (i, j) => h * covariance.values[i * covariance.width + j]) : scales(diagonal);
}

function scales(diagonal: Float64Array): Factor {
  const roots = diagonal.map(Math.sqrt);
  const divide = (x: Float64Array): void => {
    for (let j = 0; j < roots.length; j++) x[j] /= roots[j];
  };
  return {
    solve: divide,
    solveTransposed: divide,
    multiplyTransposed(x) {
      for (let j = 0; j < roots.length; j++) x[j] *= roots[j];
    },
  };
}

/** Cholesky factor of a matrix. If a pivot is lost to rounding, the diagonal entry replaces it: L stays invertible. */
function triangle(diagonal: Float64Array, entry: (i: number, j: number) => number): Factor {
  const n = diagonal.length;
  const rows: Float64Array[] = [];
  for (let i = 0; i < n; i++) {
    const row = new Float64Array(i + 1);
    let pivot = diagonal[i];
    for (let j = 0; j < i; j++) {
      const above = rows[j];
      let rest = entry(i, j);
      for (let k = 0; k < j; k++) rest -= row[k] * above[k];
      row[j] = rest / above[j];
      pivot -= row[j] * row[j];
    }
    row[i] = Math.sqrt(pivot > (RIDGE / 2) * diagonal[i] ? pivot : diagonal[i]);
    rows.push(row);
  }
  return {
    solve(x) {
      for (let i = 0; i < n; i++) {
        const row = rows[i];
        let rest = x[i];
        for (let j = 0; j < i; j++) rest -= row[j] * x[j];
        x[i] = rest / row[i];
      }
    },
    solveTransposed(x) {
      for (let i = n - 1; i >= 0; i--) {
        const row = rows[i];
        x[i] /= row[i];
        for (let j = 0; j < i; j++) x[j] -= row[j] * x[i];
      }
    },
    multiplyTransposed(x) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let i = j; i < n; i++) sum += rows[i][j] * x[i];
        x[j] = sum;
      }
    },
  };
}
