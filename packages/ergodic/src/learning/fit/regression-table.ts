import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { ProductsStep } from "../../engine/data/features/products.ts";
import { forEachRow, type RawColumn, type Step } from "../../engine/data/rows.ts";
import type { StandardiseStep } from "../../engine/data/transformations/standardise.ts";
import { CapabilityError, checkKeys, checkNumber, DataError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { betaQuantile } from "../../engine/numbers/beta-quantile.ts";
import { betaLower } from "../../engine/numbers/beta-tails.ts";
import { erfc } from "../../engine/numbers/error-function.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log, log1p } from "../../engine/numbers/log.ts";
import { normalQuantile } from "../../engine/numbers/normal-quantile.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import { checkDataset } from "./kinds/trainable.ts";

/** Options of `regressionTable`. */
export interface RegressionTableOptions {
  /** Level of the intervals, > 0 and at most 0.999999. Default 0.95. */
  level?: number;
}

/** One line of a regression table. */
export interface RegressionCoefficient {
  /** Name of the column; "(intercept)" for the intercept. */
  name: string;
  /** Estimate, in units of the dataset's columns. */
  estimate: number;
  /** Estimated standard deviation of the estimate over repeated samples. */
  standardError: number;
  /** Test statistic, estimate ÷ standardError: t for the squared loss, otherwise z. */
  statistic: number;
  /** Probability that the statistic would be at least this far from 0 if the true coefficient were 0. */
  pValue: number;
  /** Lower end of the interval. */
  low: number;
  /** Upper end of the interval. */
  high: number;
}

/** Standard errors, intervals and tests of a model's coefficients. */
export interface RegressionTable {
  /** Family of the likelihood. */
  family: "gaussian" | "binomial" | "poisson";
  /** Kind of test statistic. */
  statistic: "t" | "z";
  /** Level of the intervals. */
  level: number;
  /** Number of rows with positive weight. */
  rows: number;
  /** Number of rows minus number of coefficients. */
  degreesOfFreedom: number;
  /** Variance of the noise: estimated for the gaussian family, otherwise 1. */
  dispersion: number;
  /** Twice the log likelihood lost against a perfect fit. For the gaussian family, this is the sum of squares. */
  deviance: number;
  /** Coefficients: the intercept, then the columns in order. */
  coefficients: RegressionCoefficient[];
  /** Columns dropped as linearly dependent, including each category's reference, which is its first level. */
  aliased: string[];
}

const WHERE = "regressionTable";
const INTERCEPT = "(intercept)";
const MOST_COLUMNS = 2000;
/** Largest level. At level 1, every interval would be infinite. */
const MOST_LEVEL = 0.999999;
/** Columns are constant if their sum of squares about the mean is at most this share of the sum about 0. */
const CONSTANT = 1e-20;
/** Smallest relative pivot at which a column counts as linearly independent of earlier columns. */
const DEPENDENT = 1e-11;
/** Maximum distance from the optimum, in standard errors. Smaller distances affect no printed digit. */
const NEAR = 1e-3;

interface Family {
  readonly name: RegressionTable["family"];
  /** Mean and variance at output z. */
  mean(z: number): number;
  variance(mean: number): number;
  /** Deviance of one row. */
  deviance(y: number, mean: number, z: number): number;
}

const families: Readonly<Record<string, Family>> = {
  squared: { name: "gaussian", mean: (z) => z, variance: () => 1, deviance: (y, mean) => (y - mean) ** 2 },
  logistic: {
    name: "binomial",
    mean: (z) => (z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))),
    variance: (p) => p * (1 - p),
    deviance: (y, _, z) => 2 * (Math.max(y > 0 ? -z : z, 0) + log1p(exp(-Math.abs(z)))),
  },
  poisson: {
    name: "poisson",
    mean: exp,
    variance: (mean) => mean,
    deviance: (y, mean) => 2 * ((y > 0 ? y * log(y / mean) : 0) - (y - mean)),
  },
};

/**
 * Returns the regression table of a linear model that was fitted by maximum likelihood, with intervals and tests.
 * Standard errors come from the observed information.
 *
 * Cov β̂ = φ (Xᵀ W X)⁻¹, W = diag w_i v(μ_i). φ = Σ w r²/(n − p) for the squared loss (t), 1 for logistic and Poisson
 * (z). Weights are prior weights, as in R.
 * Estimates are in units of `data`'s columns, whether or not the model standardised them. Columns that depend linearly
 * on other columns have no coefficient. In each category, the first level is dropped, and the other levels are compared
 * to the first, as in R's treatment contrasts.
 *
 * @throws CapabilityError [REGRESSION_MEANING] for a penalty, bounds, class weights, random features, another loss,
 * several outputs, more than 2000 columns, coefficients that are not at the maximum, or as many coefficients as rows
 * @example
 * ```ts
 * const model = await fit(linear({ loss: "logistic", l2: 0 }), data, { algorithm: newtonCholesky() });
 * const { coefficients } = regressionTable(model, data);   // as R's summary(glm(…)), data: the rows of training
 * ```
 */
export function regressionTable(model: LinearPredictor, data: Dataset, options: RegressionTableOptions = {}): RegressionTable {
  checkKeys(WHERE, options, ["level"]);
  const { level = 0.95 } = options;
  checkNumber(WHERE, "level", level, { low: 0, high: MOST_LEVEL, open: true });
  checkDataset(WHERE, "data", data, "the training Dataset", "regressionTable(model, train)");
  const family = familyOf(model);
  if (data.columnCount > MOST_COLUMNS)
    refuse(`there are ${data.columnCount} columns, but the covariance is computed for at most ${MOST_COLUMNS}`);
  const { weights, intercept } = inUnitsOf(model, data);
  const information = informationOf(model, data, family);
  const order = columnOrder(data);
  const chosen = independent(information, order);
  const count = chosen.columns.length + (intercept === undefined ? 0 : 1);
  const freedom = information.rows - count;
  if (freedom <= 0) refuse(`${information.rows} rows are too few to estimate the errors of ${count} coefficients`);
  const dispersion = family.name === "gaussian" ? information.deviance / freedom : 1;
  refuseFar(information, chosen, dispersion);
  const { means, total } = information;
  const estimates = reexpressed(information, chosen, weights);
  const centre = (j: number): number => means[j];
  const lines = chosen.columns.map((j, k) => ({
    name: data.names[j],
    j,
    estimate: estimates[k],
    variance: inverseAt(chosen, k, k),
  }));
  lines.sort((a, b) => a.j - b.j);
  if (intercept !== undefined) {
    const atMeans = intercept + weights.reduce((sum, w, j) => sum + w * centre(j), 0);
    const estimate = chosen.columns.reduce((sum, j, k) => sum - estimates[k] * centre(j), atMeans);
    const toMeans = solved(chosen, Float64Array.from(chosen.columns, centre));
    const variance = 1 / total + chosen.columns.reduce((sum, j, k) => sum + centre(j) * toMeans[k], 0);
    lines.unshift({ name: INTERCEPT, j: -1, estimate, variance });
  }
  const kept = new Set(chosen.columns);
  const isT = family.name === "gaussian";
  const reach = isT ? studentQuantile(level, freedom) : -normalQuantile((1 - level) / 2);
  return printable({
    family: family.name,
    statistic: isT ? "t" : "z",
    level,
    rows: information.rows,
    degreesOfFreedom: freedom,
    dispersion,
    deviance: information.deviance,
    coefficients: lines.map(({ name, estimate, variance }) => {
      const standardError = Math.sqrt(dispersion * variance);
      const statistic = estimate / standardError;
      const pValue = isT ? studentTails(statistic, freedom) : erfc(Math.abs(statistic) / Math.SQRT2);
      return {
        name,
        estimate,
        standardError,
        statistic,
        pValue,
        low: estimate - reach * standardError,
        high: estimate + reach * standardError,
      };
    }),
    aliased: data.names.filter((_, j) => !kept.has(j)),
  });
}

function refuse(message: string): never {
  throw new CapabilityError(WHERE, message, "REGRESSION_MEANING");
}

function familyOf({ kind, description, intercept: { length: outputs } }: LinearPredictor): Family {
  if (kind !== "linear") refuse(`the model is a ${kind}, but must be linear`);
  const { model, loss } = description as { model: JsonObject; loss: { name: string } };
  const family = Object.hasOwn(families, loss.name) ? families[loss.name] : undefined;
  if (!family)
    refuse(`loss "${loss.name}" is not a likelihood with standard errors here; use ${Object.keys(families).join(", ")}`);
  if (outputs !== 1) refuse(`the model has ${outputs} outputs, but standard errors need a single output; use two classes`);
  for (const name of ["l1", "l2"])
    if ((model[name] ?? 0) !== 0)
      refuse(`${name} is ${String(model[name])}, but a penalty biases the coefficients; use ${name}: 0`);
  for (const [name, why] of [
    ["group", "a penalty biases the coefficients"],
    ["nonNegative", "at a bound estimates are not normal"],
    ["classWeights", "they change the likelihood"],
    ["features", "random features have no meaning of their own"],
  ])
    if (model[name]) refuse(`the model has ${name}: ${why}; leave it out`);
  return family;
}

/**
 * Returns weights and intercept in units of the dataset, before standardisation by the model. The intercept is
 * undefined if the model has none.
 */
function inUnitsOf(model: LinearPredictor, data: Dataset): { weights: Float64Array; intercept: number | undefined } {
  const later = model.pipeline.steps.slice(data.pipeline.steps.length).filter(({ kind }) => kind !== "numberType");
  const scaling = later.filter((step): step is StandardiseStep => step.kind === "standardise");
  if (scaling.length !== later.length || model.weights.length !== data.columnCount)
    throw new DataError(
      data.source,
      "is not the dataset that the model was trained on; give the dataset that fit was given",
      "DATASET_PIPELINE",
    );
  const weights = Float64Array.from(model.weights);
  let [intercept] = model.intercept;
  for (const { centre, scale } of scaling.reverse())
    for (let j = 0; j < weights.length; j++) {
      weights[j] /= scale[j];
      if (centre) intercept -= weights[j] * centre[j];
    }
  const isFitted = (model.description.model as JsonObject).intercept !== false;
  return { weights, intercept: isFitted ? intercept : undefined };
}

/**
 * Information matrix and gradient of the likelihood at the model's outputs: H = Σ h (x − m)(x − m)ᵀ, where m is the
 * mean of x with weights h. Gradients are taken with respect to x − m and the constant.
 */
interface Information {
  readonly matrix: Float64Array;
  readonly size: number;
  readonly means: Float64Array;
  /** Σ h x² about 0. Used to recognise constant columns, together with the sum of squares about the mean. */
  readonly raw: Float64Array;
  /** Σ h. */
  readonly total: number;
  readonly gradient: Float64Array;
  readonly constant: number;
  readonly deviance: number;
  readonly rows: number;
}

function informationOf(model: LinearPredictor, data: Dataset, family: Family): Information {
  const size = data.columnCount;
  const z = model.outputs(data);
  const known = data.withTargetOf(model.pipeline);
  const y = known.target.values.map((value) =>
    family.name === "binomial" ? Number(value > (known.target.kind === "category" ? 0.5 : 0)) : value,
  );
  const { weights } = data;
  const [h, u] = [new Float64Array(z.length), new Float64Array(z.length)];
  let [deviance, rows, total, constant] = [0, 0, 0, 0];
  for (let i = 0; i < z.length; i++) {
    const weight = weights?.[i] ?? 1;
    const mean = family.mean(z[i]);
    h[i] = weight * family.variance(mean);
    u[i] = weight * (mean - y[i]);
    if (weight > 0) {
      rows++;
      deviance += weight * family.deviance(y[i], mean, z[i]);
    }
    total += h[i];
    constant += u[i];
  }
  const hasIntercept = (model.description.model as JsonObject).intercept !== false;
  const [means, raw] = [new Float64Array(size), new Float64Array(size)];
  const source = data.rows();
  forEachRow(source, ({ count, columns, values }, i) => {
    for (let k = 0; k < count; k++) {
      const j = columns ? columns[k] : k;
      if (hasIntercept) means[j] += (h[i] * values[k]) / total;
      raw[j] += h[i] * values[k] * values[k];
    }
  });
  const [matrix, gradient, x] = [new Float64Array(size * size), new Float64Array(size), new Float64Array(size)];
  forEachRow(source, ({ count, columns, values }, i) => {
    for (let j = 0; j < size; j++) x[j] = -means[j];
    for (let k = 0; k < count; k++) x[columns ? columns[k] : k] += values[k];
    for (let j = 0; j < size; j++) {
      gradient[j] += u[i] * x[j];
      const scaled = h[i] * x[j];
      for (let k = 0; k <= j; k++) matrix[j * size + k] += scaled * x[k];
    }
  });
  return { matrix, size, means, raw, total, gradient, constant: hasIntercept ? constant : 0, deviance, rows };
}

/**
 * Returns the order of columns. The first level of each category, and products with that level, come last, so that
 * these columns are the ones dropped as dependent.
 */
function columnOrder(data: Dataset): number[] {
  const { steps, inputs } = data.pipeline;
  const isReference = new Uint8Array(data.columnCount);
  if (steps.some(({ kind }) => kind === "oneHot")) {
    let at = 0;
    for (const column of (inputs ?? []) as readonly RawColumn[]) {
      if (column.kind === "category") isReference[at] = 1;
      at += column.kind === "category" ? column.levels.length : 1;
    }
    const isProducts = (step: Step): step is ProductsStep => step.kind === "products";
    for (const { inputs: first, terms } of steps.filter(isProducts))
      for (const [k, term] of terms.entries()) if (term.some((j) => isReference[j])) isReference[first + k] = 1;
  }
  const all = Array.from({ length: data.columnCount }, (_, j) => j);
  return [...all.filter((j) => !isReference[j]), ...all.filter((j) => isReference[j])];
}

/** Linearly independent columns, and the Cholesky factor of their information, scaled to a diagonal of 1. */
interface Independent {
  readonly columns: number[];
  /** Rows of the factor. */
  readonly factor: Float64Array[];
  readonly scales: number[];
}

const at = ({ matrix, size }: Information, j: number, k: number): number => matrix[Math.max(j, k) * size + Math.min(j, k)];

function independent(information: Information, order: readonly number[]): Independent {
  const columns: number[] = [];
  const factor: Float64Array[] = [];
  const scales: number[] = [];
  for (const j of order) {
    const diagonal = at(information, j, j);
    if (!(diagonal > CONSTANT * information.raw[j])) continue;
    const scale = Math.sqrt(diagonal);
    const row = new Float64Array(columns.length + 1);
    let pivot = 1;
    for (let k = 0; k < columns.length; k++) {
      let sum = at(information, j, columns[k]) / (scale * scales[k]);
      for (let l = 0; l < k; l++) sum -= row[l] * factor[k][l];
      row[k] = sum / factor[k][k];
      pivot -= row[k] * row[k];
    }
    if (!(pivot > DEPENDENT)) continue;
    row[columns.length] = Math.sqrt(pivot);
    columns.push(j);
    factor.push(row);
    scales.push(scale);
  }
  return { columns, factor, scales };
}

/** Returns H⁻¹ b for the chosen columns. */
function solved({ factor, scales }: Independent, b: Float64Array): Float64Array {
  const x = b.map((value, k) => value / scales[k]);
  for (let k = 0; k < x.length; k++) {
    for (let l = 0; l < k; l++) x[k] -= factor[k][l] * x[l];
    x[k] /= factor[k][k];
  }
  for (let k = x.length - 1; k >= 0; k--) {
    x[k] /= factor[k][k];
    for (let l = 0; l < k; l++) x[l] -= factor[k][l] * x[k];
  }
  return x.map((value, k) => value / scales[k]);
}

function inverseAt(chosen: Independent, k: number, l: number): number {
  const unit = new Float64Array(chosen.columns.length);
  unit[k] = 1;
  return solved(chosen, unit)[l];
}

/** Returns coefficients that use only the chosen columns and give the same outputs. */
function reexpressed(information: Information, chosen: Independent, weights: Float64Array): Float64Array {
  const pulled = Float64Array.from(chosen.columns, (j) => weights.reduce((sum, w, k) => sum + w * at(information, j, k), 0));
  return solved(chosen, pulled);
}

/**
 * Throws if the coefficients are too far from the maximum of the likelihood. The distance is √(gᵀH⁻¹g/φ), in standard
 * errors.
 */
function refuseFar({ gradient, constant, total }: Information, chosen: Independent, dispersion: number): void {
  const g = Float64Array.from(chosen.columns, (j) => gradient[j]);
  const step = solved(chosen, g);
  const squared = g.reduce((sum, value, k) => sum + value * step[k], (constant * constant) / total);
  // A perfect fit has no noise with which the distance could be compared.
  const distance = squared === 0 ? 0 : Math.sqrt(squared / dispersion);
  if (distance <= NEAR) return;
  refuse(
    `the coefficients are ${Number(distance.toPrecision(2))} standard errors from the maximum of the likelihood; solve until convergence, algorithm: newtonCholesky(), l2: 0 (if classes are separable, there is no maximum)`,
  );
}

/** Returns P(|T| > |t|) of Student's t. */
function studentTails(t: number, freedom: number): number {
  const square = t * t;
  return betaLower(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
}

/** Returns the t that |T| exceeds with probability 1 − level. */
function studentQuantile(level: number, freedom: number): number {
  const x = betaQuantile(1 - level, freedom / 2, 0.5);
  return Math.sqrt((freedom * (1 - x)) / x);
}
