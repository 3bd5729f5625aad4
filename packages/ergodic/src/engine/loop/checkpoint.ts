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
 * A checkpoint: one safetensors file with a run's bytes and, in its metadata, JSON that says how to make the same run again.
 * Written whole or not at all, so that an interrupted write leaves the last good one. Read with the checksums of its tensors and of its JSON, which
 * older files have not; what it says is checked by whoever resumes from it (loop/kept-part.ts).
 */
export interface Checkpoint {
  snapshot: Snapshot;
  loop: JsonObject;
  /** What the verb needs to make the run again: model, algorithm, plan, stopping, data. */
  recipe: JsonObject;
}

export function checkpointBytes({ snapshot, loop, recipe }: Checkpoint): Uint8Array {
  const tensors = Object.fromEntries(
    Object.entries(snapshot.tensors).map(([name, values]): [string, StoredTensor] => [name, { shape: [values.length], values }]),
  );
  const description = { state: snapshot.state, loop, recipe };
  return encodeDescribed(FORMAT, { [TEXT]: sumOfText(description) }, description, tensors);
}

/** In the metadata: the checksum of the JSON, before its long lists are packed. */
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
      `says other than was written: the checksum of its JSON is ${found}, but was ${written.slice(0, 60)}; the file is damaged, take an earlier checkpoint (where it was changed on purpose, remove "${TEXT}" from its metadata)`,
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

/** A checkpoint of the kind of run whose recipe has `part`, and that part. @throws DataError [CHECKPOINT_KIND] for one of another kind */
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

/** What a resumed run throws where an error is no word to the user yet: no check foresaw what the file holds. */
export function refusedCheckpoint(cause: unknown): unknown {
  if (cause instanceof ErgodicError && cause.code !== JSON_TYPE) return cause;
  return new DataError(
    "checkpoint",
    `holds a run that cannot be made again (${saidBy(cause)}); the file is damaged, or of another version of ergodic: take another checkpoint, or begin the run anew`,
    "CHECKPOINT_FORMAT",
    { cause },
  );
}

/** What is made of a checkpoint's recipe. @throws DataError where nothing can be made of it */
export async function fromCheckpoint<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    throw refusedCheckpoint(cause);
  }
}

/** Relative: builds and hosts round differently. */
const SAME = 1e-9;

/** @throws OptionError [CHECKPOINT_FUNCTION] where a function has not at its start the value that it had, after `dispose` */
export function refuseOtherValue(kept: number, found: number, dispose?: () => void): void {
  const apart = Math.abs(kept - found);
  // No finite share of an infinite value says anything.
  if (kept === found || (Number.isFinite(apart) && apart <= SAME * Math.max(Math.abs(kept), Math.abs(found)))) return;
  dispose?.();
  throw new OptionError(
    "minimize.resume",
    `the function gives ${found} where the run began, but gave ${kept} when the checkpoint was made; give the function and data that it was made with`,
    "CHECKPOINT_FUNCTION",
  );
}
