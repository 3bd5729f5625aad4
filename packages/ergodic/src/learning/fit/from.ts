import type {
  Algorithm,
  Beginning,
  JsonObject,
  Model,
  ParameterRange,
  Problem,
  Progression,
  SavedModel,
  Snapshot,
  Tensor,
} from "../../engine/contract/index.ts";
import { holds } from "../../engine/errors/checks.ts";
import { CapabilityError, DataError, ErgodicError, OptionError, saidBy } from "../../engine/errors/errors.ts";
import { nameOf, readWhole } from "../../engine/files/files.ts";
import { isBlob, isBytes, isUrl } from "../../engine/files/kinds.ts";
import { decode } from "../../engine/files/safetensors.ts";
import { type Checkpoint, readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { decodeModel } from "../../predict/model-file.ts";
import { adopterOf } from "../descent/adopt.ts";
import { keptParameters } from "../descent/kept-parameters.ts";
import type { From, FromOptions } from "./from-options.ts";

type Read = Pick<Beginning, "description" | "numbers">;

/** Starting point of a run, read from the user's `from`. */
export class Begun {
  private readonly beginning: Beginning;
  private readonly where: string;
  /** Checkpoint from which the optimiser state is copied. */
  private readonly optimiser: Checkpoint | undefined;

  private constructor(beginning: Beginning, where: string, optimiser?: Checkpoint) {
    this.beginning = beginning;
    this.where = where;
    this.optimiser = optimiser;
  }

  /**
   * Reads the starting point. @throws DataError for files that are neither a model of that kind nor a checkpoint of one
   */
  static async read({ from: given, optimiser, reset = [] }: FromOptions, kind: string): Promise<Begun> {
    const from = given as Exclude<From, ArrayLike<number>> | Uint8Array | number[];
    const isKept = optimiser === "kept";
    const isFile = typeof from === "string" || isBytes(from) || isUrl(from) || isBlob(from);
    if (!isFile && !holds(from, "toBytes")) {
      if (isKept) throw notKept();
      return new Begun({ numbers: { vector: Float64Array.from(from as number[]) }, reset }, "fit.from");
    }
    const source = isFile ? from : (from as { toBytes(): Uint8Array }).toBytes();
    const where = nameOf(source, "the trained model");
    const bytes = await readWhole(source).catch((cause: unknown) => {
      if (!(cause instanceof ErgodicError)) throw cause;
      throw new DataError("fit", `from is ${JSON.stringify(where.slice(0, 80))}, which ${cause.said}`, cause.code, { cause });
    });
    if (decode(bytes, where).metadata.format !== "ergodic checkpoint") {
      if (isKept) throw notKept();
      return new Begun({ ...trained(bytes, where, kind), reset }, where);
    }
    const checkpoint = await readCheckpoint(bytes, where);
    return new Begun({ ...ofCheckpoint(checkpoint, where, kind), reset }, where, isKept ? checkpoint : undefined);
  }

  /** Returns the model with this starting point. */
  modelOf<D>(model: Model<D>): Model<D> {
    const made = model.startingAt?.(this.beginning);
    if (made) return made;
    throw new CapabilityError("fit", `a model "${model.name}" always uses its own start; leave from out`, "MODEL_CAPABILITY");
  }

  /** @throws CapabilityError for an algorithm that ignores its starting point */
  checkAlgorithm({ name, takesStart }: Algorithm): void {
    if (takesStart) return;
    throw new CapabilityError(
      "fit",
      `${name} finds the minimum from any start, so from would have no effect; leave from out, or give a rule: rule: adam()`,
      "PLAN_MEANING",
    );
  }

  /**
   * Copies the optimiser state of the other run to the progression, if the options request it. @throws CapabilityError
   * if the state is of another kind
   */
  takeOver(progression: Progression, own: { algorithm: JsonObject; parts: Problem["parts"] }): void {
    if (!this.optimiser) return;
    const { recipe, snapshot } = this.optimiser;
    const rule = ({ algorithm, rule: of }: JsonObject): string =>
      JSON.stringify([algorithm, (of as JsonObject | undefined)?.rule]);
    const same =
      rule(recipe.algorithm as JsonObject) === rule(own.algorithm) && JSON.stringify(recipe.parts) === JSON.stringify(own.parts);
    const adopt = adopterOf(progression);
    if (!same || !adopt || !isAlike(progression.snapshot(), snapshot))
      throw new CapabilityError(
        "fit",
        'optimiser is "kept", but the checkpoint holds another kind of state: both runs need the same rule, precision and frozen parts, both or neither must use batches, and neither a line search on full gradients; leave optimiser out to start with a fresh one',
        "FROM_OPTIMISER",
      );
    adopt(snapshot);
  }

  /** Calls `make`, which uses the file. An unexpected error is reported as a damaged file. */
  async blamed<T>(make: () => Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (cause) {
      if (cause instanceof ErgodicError) throw cause;
      const message = `holds a model that training cannot start from (${saidBy(cause)}); the file is damaged, write it again`;
      throw new DataError(this.where, message, "MODEL_FORMAT", { cause });
    }
  }
}

const notKept = (): OptionError =>
  new OptionError(
    "fit",
    'optimiser is "kept", but only checkpoints hold its state; give from: await run.checkpoint()',
    "OPTION_CONFLICT",
  );

function trained(bytes: Uint8Array, where: string, wanted: string): Read {
  const file = decodeModel(bytes, where);
  refuseOtherKind(file.metadata.kind, where, wanted);
  file.verify();
  const tensors = Object.entries(file.tensors).map(([name, { values }]) => [name, values as Tensor]);
  return { description: file.describe(), numbers: { tensors: Object.fromEntries(tensors) } };
}

function ofCheckpoint({ recipe, snapshot }: Checkpoint, where: string, wanted: string): Read {
  refuseOtherKind((recipe.model as JsonObject | undefined)?.model, where, wanted);
  const byGradients = (recipe.algorithm as JsonObject | undefined)?.algorithm === "gradientDescent";
  const parameters = byGradients ? keptParameters(snapshot) : undefined;
  const { parts, trained: description } = recipe as { parts?: Problem["parts"]; trained?: JsonObject };
  if (parameters && parts && description) return { description, numbers: { tensors: cut(parameters, parts, where) } };
  throw new DataError(
    where,
    "holds a run that training cannot start from: its algorithm is not gradient descent, or it is from an older version; give the trained model instead",
    "FROM_MODEL",
  );
}

function cut(all: Float64Array, parts: NonNullable<Problem["parts"]>, where: string): SavedModel["tensors"] {
  const numbers = (ranges: readonly ParameterRange[]): Float64Array => {
    if (!ranges.every(([from, count]) => from >= 0 && count >= 0 && from + count <= all.length))
      throw new DataError(where, "refers to numbers that it does not contain; it is damaged, take another", "CHECKPOINT_FORMAT");
    return Float64Array.from(
      ranges.flatMap(([from, count, factor = 1]) => Array.from(all.subarray(from, from + count), (x) => factor * x)),
    );
  };
  return Object.fromEntries(Object.entries(parts).map(([name, ranges]) => [name, numbers(ranges)]));
}

function refuseOtherKind(kind: unknown, where: string, wanted: string): void {
  if (kind === wanted) return;
  const found = typeof kind === "string" ? `a model of kind "${kind.slice(0, 60)}"` : "no trained model";
  const message = `holds ${found}, but the model to train is of kind "${wanted}"; give one of the same kind`;
  throw new DataError(where, message, "FROM_MODEL");
}

/**
 * Whether the tensors of two runs have the same names, types and sizes. Tensors that depend on the rows are not
 * compared.
 */
function isAlike(own: Snapshot, other: Snapshot): boolean {
  return Object.entries(own.tensors).every(([name, values]) => {
    if (name === "table" || name.startsWith("mean.") || name.startsWith("objective.")) return true;
    const found = other.tensors[name] ?? other.tensors[name.replace(/\.\d+$/, ".0")];
    return found?.length === values.length && found.constructor === values.constructor;
  });
}
