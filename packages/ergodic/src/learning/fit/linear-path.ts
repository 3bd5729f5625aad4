import type { JsonObject, PredictionKind, SavedModel } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkNumber } from "../../engine/errors/errors.ts";
import { brief } from "../../engine/errors/printable.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import { LinearPredictor } from "../../predict/linear.ts";
import type { PathRecord } from "../coordinates/path.ts";
import type { LinearModel } from "../models/linear/linear.ts";

/** Content of a path. */
export interface PathParts {
  readonly record: PathRecord;
  readonly run: RunSummary;
  readonly select: "minimum" | "oneStandardError";
  readonly saving: Saving;
}

/** Result of cross-validation: the errors on held-out rows for each λ. */
export interface CrossValidation {
  /** Number of folds. */
  readonly folds: number;
  /** Mean error at each λ. */
  readonly mean: Float64Array;
  /** Standard error of each mean. */
  readonly standardError: Float64Array;
  /** Errors by fold, each f64[lambdas]. */
  readonly byFold: readonly Float64Array[];
  /** Index of the λ with the least mean error. */
  readonly minimum: number;
  /** Index of the largest λ whose error is within one standard error of the least. */
  readonly oneStandardError: number;
}

/**
 * Solutions of a linear model at decreasing strengths λ of its penalty, as returned by `fit.path`. `predictor(k)`
 * returns the model at lambdas[k].
 */
export class LinearPath<K extends PredictionKind = PredictionKind, Names extends string = string> {
  protected static readonly typeName: string = "LinearPath";
  /** Strengths of the penalty, decreasing. */
  readonly lambdas: Float64Array;
  /**
   * Certified relative duality gaps. A gap is NaN if it is not known; `violations` then measures the error in the
   * optimality conditions.
   */
  readonly gaps: Float64Array;
  /** Error in the optimality conditions at each λ. */
  readonly violations: Float64Array;
  /** Number of nonzero coefficients at each λ. */
  readonly nonZeros: Float64Array;
  /** Share of the deviance explained at each λ: 1 − loss / null model's loss. */
  readonly explained: Float64Array;
  /** Errors on held-out rows, if `folds` was given. */
  readonly crossValidation: CrossValidation | undefined;
  /** Index of the λ that cross-validation chose. Without cross-validation, index of the last λ. */
  readonly chosen: number;
  /** Summary of the run. */
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

  /** Returns the weights at lambdas[k] as f64[outputs × columns], in the same layout as in a predictor. */
  weights(k: number): Float64Array {
    return this.saved(k).tensors.weights as Float64Array;
  }

  /** Intercepts at lambdas[k], float64[outputs]. */
  intercept(k: number): Float64Array {
    return this.saved(k).tensors.intercept as Float64Array;
  }

  /** Returns the predictor at lambdas[k]. By default, k is the chosen index. */
  predictor(k: number = this.chosen): LinearPredictor<K, Names> {
    return new LinearPredictor(this.saved(k));
  }

  /** Returns a table of some strengths of the penalty, in which > marks the chosen one. */
  toString(): string {
    const { lambdas, nonZeros, explained, crossValidation, chosen, run } = this;
    const last = lambdas.length - 1;
    const shown = [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)).concat(chosen))].sort(
      (a, b) => a - b,
    );
    const line = (k: number): string => {
      const error = crossValidation ? `, held-out error ${brief(crossValidation.mean[k])}` : "";
      return `${k === chosen ? ">" : " "} λ ${lambdas[k].toPrecision(3)}: ${nonZeros[k]} nonzero, ${(100 * explained[k]).toFixed(1)} % explained${error}`;
    };
    return [`path of ${lambdas.length} linear models; ${run.reason}`, ...shown.map(line)].join("\n");
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Content of the path, as plain data. */
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

/**
 * Template from which saved models are made for given parameters. The template is read once, so that it remains usable
 * after the run has freed its data.
 */
export interface Saving {
  /** Saved model in which all parameters are 1. */
  readonly saved: SavedModel;
  /** Number of parameters per output. */
  readonly stride: number;
}

export function savingOf(model: LinearModel, prepared: Dataset, parameterCount: number, json: JsonObject): Saving {
  const { kind, description, tensors } = model.save(prepared, new Float64Array(parameterCount).fill(1));
  const told = { ...description, path: json.path, plan: json.plan };
  return { saved: { kind, description: told, tensors }, stride: parameterCount / tensors.intercept.length };
}

function savedAt({ saved: { kind, description, tensors }, stride }: Saving, parameters: Float64Array): SavedModel {
  // Intercept of a model whose intercept parameter is 1; 0 if the model has no intercept.
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
