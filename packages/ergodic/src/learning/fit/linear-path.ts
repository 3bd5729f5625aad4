import type { JsonObject, PredictionKind, SavedModel } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkNumber } from "../../engine/errors/errors.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import { LinearPredictor } from "../../predict/linear.ts";
import type { PathRecord } from "../coordinates/path.ts";
import type { LinearModel } from "../models/linear/linear.ts";

/** What a path is made of. */
export interface PathParts {
  readonly record: PathRecord;
  readonly run: RunSummary;
  readonly select: "minimum" | "oneStandardError";
  readonly saving: Saving;
}

/** By λ: errors on held-out rows. */
export interface CrossValidation {
  /** Number of folds. */
  readonly folds: number;
  /** Mean error of each λ. */
  readonly mean: Float64Array;
  /** Of the mean. */
  readonly standardError: Float64Array;
  /** f64[lambdas] a fold. */
  readonly byFold: readonly Float64Array[];
  /** Index of the least mean error, and of the largest λ whose error is within one standard error of it. */
  readonly minimum: number;
  /** Index of the largest λ with an error within one standard error of the least. */
  readonly oneStandardError: number;
}

/** A linear model at falling strengths of its penalty, as `fit.path` gives it; `predictor(k)` is the model of λ number k. */
export class LinearPath<K extends PredictionKind = PredictionKind, Names extends string = string> {
  /** Strengths of the penalty, falling. */
  readonly lambdas: Float64Array;
  /** Relative duality gaps, certified; NaN where none is known (`violations` then say how far the optimality conditions are from being met). */
  readonly gaps: Float64Array;
  /** How far the optimality conditions are from being met, at each λ. */
  readonly violations: Float64Array;
  /** Nonzero coefficients at each λ. */
  readonly nonZeros: Float64Array;
  /** 1 − loss/loss of the null model: the share of the deviance explained. */
  readonly explained: Float64Array;
  /** Errors on held-out rows, where `folds` was given. */
  readonly crossValidation: CrossValidation | undefined;
  /** Index of the chosen λ: by cross-validation; without it the last. */
  readonly chosen: number;
  /** How the run went. */
  readonly run: RunSummary;
  private readonly parts: PathParts;

  constructor(parts: PathParts) {
    const { record, run, select } = parts;
    this.parts = parts;
    this.run = run;
    this.lambdas = record.lambdas;
    this.gaps = record.gaps;
    this.violations = record.violations;
    this.nonZeros = record.nonZeros;
    this.explained = record.losses.map((loss) => 1 - loss / record.nullLoss);
    this.crossValidation = record.foldWeights.length > 0 ? validated(record) : undefined;
    this.chosen = this.crossValidation ? this.crossValidation[select] : record.lambdas.length - 1;
  }

  /** Names of the columns, in the order of the weights. */
  get columns(): readonly string[] {
    return this.predictor().columns;
  }

  /** f64[outputs × columns] at λ number k, as a predictor's own. */
  weights(k: number): Float64Array {
    return this.saved(k).tensors.weights as Float64Array;
  }

  /** float64[outputs] at λ number k. */
  intercept(k: number): Float64Array {
    return this.saved(k).tensors.intercept as Float64Array;
  }

  /** The model at λ number k, by default the chosen one. */
  predictor(k: number = this.chosen): LinearPredictor<K, Names> {
    return new LinearPredictor(this.saved(k));
  }

  /** What it is made of, as plain data. */
  portable(): PathParts {
    return this.parts;
  }

  private saved(k: number): SavedModel {
    return savedAt(this.parts.saving, this.parameters(k));
  }

  private parameters(k: number): Float64Array {
    const { parameters, lambdas } = this.parts.record;
    const last = lambdas.length - 1;
    checkNumber("path", "k", k, { low: 0, high: last, integer: true });
    const size = parameters.length / lambdas.length;
    return parameters.slice(k * size, (k + 1) * size);
  }
}

function validated({ heldOut, foldWeights, lambdas }: PathRecord): CrossValidation {
  const count = lambdas.length;
  const folds = foldWeights.length;
  const byFold = Array.from({ length: folds }, (_, f) => heldOut.slice(f * count, (f + 1) * count).map((loss) => 2 * loss));
  const total = foldWeights.reduce((a, b) => a + b, 0);
  const mean = new Float64Array(count);
  const standardError = new Float64Array(count);
  let minimum = 0;
  for (let k = 0; k < count; k++) {
    mean[k] = byFold.reduce((sum, errors, f) => sum + foldWeights[f] * errors[k], 0) / total;
    const variance = byFold.reduce((sum, errors, f) => sum + foldWeights[f] * (errors[k] - mean[k]) ** 2, 0) / total;
    standardError[k] = Math.sqrt(variance / (folds - 1));
    if (mean[k] < mean[minimum]) minimum = k;
  }
  const oneStandardError = mean.findIndex((error) => error <= mean[minimum] + standardError[minimum]);
  return { folds, mean, standardError, byFold, minimum, oneStandardError };
}

/** Parameters as models, also after the run has given its data back: what a saved model needs of them is read once. */
export interface Saving {
  /** Of the model whose parameters are all 1. */
  readonly saved: SavedModel;
  /** Parameters of one output. */
  readonly stride: number;
}

export function savingOf(model: LinearModel, prepared: Dataset, parameterCount: number, json: JsonObject): Saving {
  const { kind, description, tensors } = model.save(prepared, new Float64Array(parameterCount).fill(1));
  const told = { ...description, path: json.path, plan: json.plan };
  return { saved: { kind, description: told, tensors }, stride: parameterCount / tensors.intercept.length };
}

function savedAt({ saved: { kind, description, tensors }, stride }: Saving, parameters: Float64Array): SavedModel {
  // What one unit of an intercept's parameter adds: 0 where the model has none.
  const [one] = tensors.intercept;
  const outputs = tensors.intercept.length;
  const columns = tensors.weights.length / outputs;
  const weights = new Float64Array(outputs * columns);
  const intercept = new Float64Array(outputs);
  for (let k = 0; k < outputs; k++) {
    weights.set(parameters.subarray(k * stride, k * stride + columns), k * columns);
    intercept[k] = one * parameters[k * stride + columns];
  }
  return { kind, description, tensors: { weights, intercept } };
}
