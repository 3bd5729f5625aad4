import type { JsonObject, Snapshot, Tensor } from "../contract/index.ts";
import { JSON_TYPE } from "../errors/checks.ts";
import { DataError, ErgodicError, OptionError, saidBy } from "../errors/errors.ts";
import { decodeDescribed, encodeDescribed, type FileFormat } from "../files/described-file.ts";
import { nameOf, readWhole } from "../files/files.ts";
import type { Tensor as StoredTensor } from "../files/safetensors.ts";
import { murmur3 } from "../random/murmur3.ts";

const FORMAT: FileFormat = {
  format: "ergodic checkpoint",
  versionName: "checkpoint version",
  stranger: "is not a checkpoint of a run; give the file that run.checkpoint() wrote",
  codes: "CHECKPOINT",
};

/**
 * A checkpoint is one safetensors file. The file contains the tensors of a run and, in its metadata, the JSON needed to
 * reconstruct the run.
 * The file is written completely or not at all. After an interrupted write, the previous file is still intact. Reading
 * verifies the checksums of the tensors and of the JSON. Files of older versions have no checksum of the JSON. The
 * contents are checked by the code that resumes the run (loop/kept-part.ts).
 */
export interface Checkpoint {
  snapshot: Snapshot;
  loop: JsonObject;
  /** Description of the run, from which the verb reconstructs the model, algorithm, plan, stopping rule and data. */
  recipe: JsonObject;
}

export function checkpointBytes({ snapshot, loop, recipe }: Checkpoint): Uint8Array {
  const tensors = Object.fromEntries(
    Object.entries(snapshot.tensors).map(([name, values]): [string, StoredTensor] => [name, { shape: [values.length], values }]),
  );
  const description = { state: snapshot.state, loop, recipe };
  return encodeDescribed(FORMAT, { [TEXT]: sumOfText(description) }, description, tensors);
}

/** Metadata key of the JSON's checksum. The checksum is computed before long lists are packed. */
const TEXT = "text checksum";

function sumOfText(description: JsonObject): string {
  const text = new TextEncoder().encode(JSON.stringify(description));
  return `murmur3:${murmur3(text, 0, text.length, 0).toString(16).padStart(8, "0")}`;
}

export async function readCheckpoint(from: string | Uint8Array | Blob, where = nameOf(from, "checkpoint")): Promise<Checkpoint> {
  const file = decodeDescribed(await readWhole(from), where, FORMAT);
  const description = file.describe();
  file.verify();
  const [written, found] = [file.metadata[TEXT], sumOfText(description)];
  if (written !== undefined && written !== found)
    throw new DataError(
      where,
      `holds changed text: the checksum of its JSON is ${found}, but was ${written.slice(0, 60)}; the file is damaged, take an earlier checkpoint (if you changed it on purpose, remove "${TEXT}" from its metadata)`,
      "CHECKPOINT_FORMAT",
    );
  for (const part of ["state", "loop", "recipe"]) {
    const found = description[part];
    if (typeof found === "object" && found !== null && !Array.isArray(found)) continue;
    throw new DataError(where, `lacks its ${part}; the file is damaged, take an earlier checkpoint`, "CHECKPOINT_FORMAT");
  }
  const { state, loop, recipe } = description as Record<string, JsonObject>;
  const tensors = Object.entries(file.tensors).map(([name, { values }]) => [name, values as Tensor]);
  return { snapshot: { tensors: Object.fromEntries(tensors), state }, loop, recipe };
}

/**
 * Reads a checkpoint whose recipe contains `part`, and returns this part with the checkpoint.
 * @throws DataError [CHECKPOINT_KIND] if the checkpoint is of another kind of run
 */
export async function readCheckpointOf(
  from: string | Uint8Array | Blob,
  part: string,
): Promise<{ checkpoint: Checkpoint; kept: JsonObject }> {
  const checkpoint = await readCheckpoint(from);
  const kept = Object.hasOwn(checkpoint.recipe, part) ? checkpoint.recipe[part] : undefined;
  if (typeof kept === "object" && kept !== null && !Array.isArray(kept)) return { checkpoint, kept };
  const message = "is the checkpoint of another kind of run; resume it with the verb that wrote it";
  throw new DataError(nameOf(from, "checkpoint"), message, "CHECKPOINT_KIND");
}

/**
 * Converts an unforeseen error in a resumed run to an error that names the checkpoint as the cause. Errors that are
 * written for users are returned unchanged.
 */
export function refusedCheckpoint(cause: unknown): unknown {
  if (cause instanceof ErgodicError && cause.code !== JSON_TYPE) return cause;
  return new DataError(
    "checkpoint",
    `holds a run that cannot be restored (${saidBy(cause)}); the file is damaged, or from another version of ergodic: use another checkpoint, or start the run again`,
    "CHECKPOINT_FORMAT",
    { cause },
  );
}

/**
 * Calls `make`, which builds something from a checkpoint's recipe, and returns the result.
 * @throws DataError if it cannot be built
 */
export async function fromCheckpoint<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    throw refusedCheckpoint(cause);
  }
}

/** The tolerance is relative, because builds and hosts round differently. */
const SAME = 1e-9;

/**
 * Checks that a function still has its recorded value at the starting point.
 * @throws OptionError [CHECKPOINT_FUNCTION] if the values differ, after calling `dispose`
 */
export function refuseOtherValue(kept: number, found: number, dispose?: () => void): void {
  const apart = Math.abs(kept - found);
  // Infinite values must match exactly, because a relative difference from infinity is never finite.
  if (kept === found || (Number.isFinite(apart) && apart <= SAME * Math.max(Math.abs(kept), Math.abs(found)))) return;
  dispose?.();
  throw new OptionError(
    "minimize.resume",
    `the function gives ${found} at the start of the run, but gave ${kept} when the checkpoint was made; give the function and data that it was made with`,
    "CHECKPOINT_FUNCTION",
  );
}
