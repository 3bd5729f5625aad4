import type { JsonObject, SavedModel, Tensor } from "../engine/contract/index.ts";
import type { Pipeline } from "../engine/data/dataset.ts";
import type { Step } from "../engine/data/rows.ts";
import { sources, transformations } from "../engine/data/transformations/index.ts";
import { checkBoolean, checkChoice } from "../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError, MemoryLimitError, saidBy } from "../engine/errors/errors.ts";
import { nameOf, readWhole } from "../engine/files/files.ts";
import type { Tensor as StoredTensor } from "../engine/files/safetensors.ts";
import { later } from "../engine/threads/later.ts";
import type { AnyPredictor } from "./any-predictor.ts";
import { type Limits, MAX_MEMORY, MAX_WORK } from "./limits.ts";
import { decodeModel } from "./model-file.ts";

/** Members that loaded models of every kind have. */
interface Loadable {
  readonly kind: string;
  readonly pipeline?: Pipeline;
  shapes(): Readonly<Record<string, readonly number[]>>;
  dispose(): void;
}

/** Loaders of models by the kind named in the file. */
export type Loaders<P> = Readonly<Record<string, (saved: SavedModel, where: string, options: PredictorOptions) => Promise<P>>>;

/** Loaders of predictors, one line per family. Each module is loaded when a file of its family is first read. */
const kinds: Loaders<AnyPredictor> = {
  linear: async (saved, where) => new (await later(() => import("./linear.ts"))).LinearPredictor(saved, where),
  network: async (saved, where, options) =>
    (await later(() => import("./load-network.ts"))).networkPredictor(saved, where, options),
  trees: async (saved, where) => new (await later(() => import("./trees/trees.ts"))).TreesPredictor(saved, where),
  factorisation: async (saved, where) => new (await later(() => import("./factorisation.ts"))).FactorPredictor(saved, where),
};

/** Names of the loaders of other kinds, for errors. */
const others = new Map([["boltzmannMachine", "loadBoltzmannMachine"]]);

/** Options of `predictor`. */
export interface PredictorOptions {
  /**
   * Maximum work of the model per row, in multiply-adds. An operation other than a multiply-add counts as the number of
   * multiply-adds that take about the same time. The work is computed from the file. A model that needs more work is
   * refused, because a prediction cannot be aborted. Default 2e10, about ten seconds on one core; Infinity for files
   * that you trust.
   */
  readonly maxWork?: number;
  /**
   * Largest memory that the model can use in addition to the parameters in its file, in bytes. The required memory is
   * computed from the file before anything is allocated, and a model that needs more is refused. Default 2³⁰, 1 GiB;
   * Infinity for files that you trust.
   */
  readonly maxMemory?: number;
  /**
   * Whether a network predicts the same bits on every host. This is somewhat slower. Default: the setting used in
   * training.
   */
  readonly deterministic?: boolean;
  /**
   * Treatment of a category level that training did not contain. "zero" encodes the level as all zeros, as if the row
   * had no level. "refuse" throws an error that names the column, the level and the known levels. Default: as in
   * training. `newLevels` counts such levels.
   */
  readonly unknown?: "zero" | "refuse";
}

/**
 * Loads a saved model, ready to predict, from a path, a URL, a Blob or bytes.
 *
 * No code from the file is run, and its description is checked before it is used. `kind` is "linear", "network",
 * "trees" or "factorisation". Models of trees that XGBoost, LightGBM or ONNX tools saved are read, too
 * (docs/trees-from-other-libraries.md).
 *
 * @param from the saved model: a path, a URL, a Blob or bytes
 * @param options limits on work and memory, treatment of unknown category levels
 * @throws DataError for files that are not ours, of a later version, or damaged; CapabilityError if a network needs
 * code that the host forbids; MemoryLimitError; OptionError unless maxWork and maxMemory > 0
 *
 * @example
 * ```ts
 * const model = await predictor("income.safetensors");
 * if (model.kind === "linear") model.predict({ age: 40, hours: 38 }).value;
 * const scorer = await predictor<LinearPredictor>("income.safetensors");   // if you know the kind of model
 * ```
 */
export async function predictor<P extends AnyPredictor = AnyPredictor>(
  from: string | URL | Uint8Array | Blob,
  options: PredictorOptions = {},
): Promise<P> {
  checkKeys("predictor", options, ["maxWork", "maxMemory", "deterministic", "unknown"]);
  const { maxWork = MAX_WORK, maxMemory = MAX_MEMORY, deterministic, unknown } = options;
  for (const [name, limit] of Object.entries({ maxWork, maxMemory }))
    if (limit !== Infinity) checkNumber("predictor", name, limit, { low: 0, open: true });
  if (deterministic !== undefined) checkBoolean("predictor", "deterministic", deterministic);
  if (unknown !== undefined) checkChoice("predictor", "unknown", unknown, ["zero", "refuse"]);
  return (await loadModel(from, { maxWork, maxMemory, deterministic, unknown }, kinds)) as P;
}

/** Loads a saved model of one of these kinds. The options have been checked. */
export async function loadModel<P extends Loadable>(
  from: string | URL | Uint8Array | Blob,
  options: PredictorOptions & Limits,
  loaders: Loaders<P>,
): Promise<P> {
  const where = nameOf(from, "model");
  const bytes = await readWhole(from);
  try {
    return await made(bytes, where, options, loaders);
  } catch (error) {
    if (error instanceof DataError || error instanceof MemoryLimitError) throw error;
    // This error means that the host lacks a capability, not that the file is damaged.
    if (error instanceof CapabilityError && error.code.startsWith("HOST_")) throw error;
    // All other errors, such as errors about steps and options, are reported as a damaged file.
    throw new DataError(
      where,
      `holds a model that cannot be constructed (${saidBy(error)}); the file is damaged, write it again`,
      "MODEL_FORMAT",
      {
        cause: error,
      },
    );
  }
}

async function made<P extends Loadable>(
  bytes: Uint8Array,
  where: string,
  options: PredictorOptions & Limits,
  loaders: Loaders<P>,
): Promise<P> {
  if (!seemsOwn(bytes)) {
    const { foreignModel } = await later(() => import("./foreign.ts"));
    const saved = await foreignModel(bytes, where);
    if (saved)
      return ready({ ...saved, description: withUnknown(saved.description, options.unknown, where) }, where, options, loaders);
  }
  const file = decodeModel(bytes, where);
  const description = withUnknown(file.describe(), options.unknown, where);
  const tensors = Object.entries(file.tensors).map(([name, { values }]) => [name, values as Tensor]);
  const saved = { kind: file.metadata.kind, description, tensors: Object.fromEntries(tensors) };
  const predictor = await ready(saved, where, options, loaders);
  try {
    checkShapes(predictor, file.tensors, where);
    file.verify();
  } catch (error) {
    predictor.dispose();
    throw error;
  }
  return predictor;
}

/**
 * Whether the bytes seem to be a file of this library. It begins with the length of its header, whose last byte is 0,
 * and then with the header's brace. Files of other formats are read by foreign.ts, which own files do not load.
 */
const seemsOwn = (bytes: Uint8Array): boolean => !(bytes[7] > 0) && (bytes[0] !== 0x7b || bytes[8] === 0x7b);

/** Returns the predictor of a saved model, after checks of its parts. */
async function ready<P extends Loadable>(
  saved: SavedModel,
  where: string,
  options: PredictorOptions & Limits,
  loaders: Loaders<P>,
): Promise<P> {
  const { kind, description, tensors } = saved;
  const make = Object.hasOwn(loaders, kind) ? loaders[kind] : undefined;
  if (!make) {
    const known = Object.keys(loaders).join(", ");
    const loader = Object.hasOwn(kinds, kind) ? "predictor" : others.get(kind);
    const advice = loader ? `; load it with ${loader}()` : "";
    throw new DataError(
      where,
      `holds a model of kind "${kind}", which cannot be used here (known: ${known})${advice}`,
      "MODEL_KIND",
    );
  }
  if (needsMore(description)) (await later(() => import("../engine/data/all-steps.ts"))).addAllSteps();
  const predictor = await make(saved, where, options);
  const { calibration } = description;
  try {
    if (predictor.pipeline) await checkSteps(predictor.pipeline.steps, tensors, options, where);
    if (calibration !== undefined)
      (await later(() => import("./calibration/applied.ts"))).calibrate(predictor as unknown as AnyPredictor, calibration, where);
  } catch (error) {
    predictor.dispose();
    throw error;
  }
  return predictor;
}

/** Steps whose columns are listed in the file. The size of the file therefore limits the cost of these steps. */
const LISTED = new Set(["columns", "impute", "oneHot", "standardise", "rowShape"]);

/** Checks that a pipeline stays within the limits. @throws DataError [MODEL_WORK, MODEL_MEMORY] */
async function checkSteps(steps: readonly Step[], tensors: SavedModel["tensors"], limits: Limits, where: string): Promise<void> {
  const held = Object.values(tensors).reduce((sum, { length }) => sum + length, 0);
  const { columnCount } = steps[0] as { columnCount?: number };
  const isListed = ({ kind }: Step): boolean => LISTED.has(kind) || (kind === "numbers" && columnCount! <= held);
  if (!steps.every(isListed)) (await later(() => import("./pipeline-cost.ts"))).checkPipeline(steps, held, limits, where);
}

/** Returns the description with another treatment of unknown levels. */
function withUnknown(description: JsonObject, unknown: PredictorOptions["unknown"], where: string): JsonObject {
  const { pipeline } = description;
  if (unknown === undefined) return description;
  if (!Array.isArray(pipeline))
    throw new DataError(
      where,
      `holds a model without columns, but unknown is "${unknown}"; leave it out, and use isKnown() for users and items`,
      "MODEL_KIND",
    );
  const steps = pipeline.map((step) =>
    (step as JsonObject | null)?.kind === "columns" ? { ...(step as JsonObject), unknown } : step,
  );
  return { ...description, pipeline: steps };
}

/**
 * Whether the pipeline uses dates, or contains a step that is unknown or has not been loaded. The pipeline need not
 * have been checked.
 */
function needsMore({ pipeline }: JsonObject): boolean {
  const isElsewhere = (step: unknown): boolean => {
    const { kind, columns } = (step ?? {}) as { kind?: unknown; columns?: unknown };
    const name = String(kind);
    return (
      (!sources.has(name) && !transformations.has(name)) || (Array.isArray(columns) && columns.some((column) => column?.part))
    );
  };
  return Array.isArray(pipeline) && pipeline.some(isElsewhere);
}

/** Checks that each tensor has the shape that the predictor itself would write. */
function checkShapes(predictor: Loadable, tensors: Readonly<Record<string, StoredTensor>>, where: string): void {
  for (const [name, wanted] of Object.entries(predictor.shapes())) {
    const shape = tensors[name]?.shape ?? [];
    if (shape.length === wanted.length && shape.every((size, k) => size === wanted[k])) continue;
    const message = `has a tensor "${name}" of shape [${shape.join(", ")}], but [${wanted.join(", ")}] is wanted; the file is damaged, write it again`;
    throw new DataError(where, message, "MODEL_FORMAT");
  }
}
