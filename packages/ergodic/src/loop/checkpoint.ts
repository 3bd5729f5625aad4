/**
 * A checkpoint: one safetensors file with a run's bytes and, in its metadata, JSON that says how to make the same run again.
 * Written whole or not at all, so that an interrupted write leaves the last good one.
 */
import { DataError } from "../base/errors.ts";
import { nameOf, readWhole, writeWhole } from "../base/files.ts";
import { decode, encode, parseDescription, type Tensor as StoredTensor } from "../base/safetensors.ts";
import type { JsonObject, Snapshot, Tensor } from "../contract.ts";

const VERSION = 1;

export interface Checkpoint {
  snapshot: Snapshot;
  loop: JsonObject;
  /** What the verb needs to make the run again: model, algorithm, plan, stopping, data. */
  recipe: JsonObject;
}

export function writeCheckpoint(path: string, { snapshot, loop, recipe }: Checkpoint): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries(snapshot.tensors).map(([name, values]): [string, StoredTensor] => [name, { shape: [values.length], values }]),
  );
  const description = JSON.stringify({ state: snapshot.state, loop, recipe });
  return writeWhole(path, encode(tensors, { format: "ergodic checkpoint", version: String(VERSION), description }), {
    keep: true,
  });
}

export async function readCheckpoint(from: string | Uint8Array | Blob): Promise<Checkpoint> {
  const where = nameOf(from, "checkpoint");
  const { tensors, metadata } = decode(await readWhole(from), where);
  if (metadata.format !== "ergodic checkpoint")
    throw new DataError(where, "is not a checkpoint of a run; give the file that run.checkpoint() wrote", "CHECKPOINT_FORMAT");
  if (Number(metadata.version) > VERSION) {
    throw new DataError(
      where,
      `has checkpoint version ${metadata.version}, but this library reads up to ${VERSION}; update ergodic`,
      "CHECKPOINT_VERSION",
    );
  }
  const description = parseDescription(metadata, where, "CHECKPOINT_FORMAT");
  const { state, loop, recipe } = description as { state: JsonObject; loop: JsonObject; recipe: JsonObject };
  return {
    snapshot: {
      tensors: Object.fromEntries(Object.entries(tensors).map(([name, { values }]) => [name, values as Tensor])),
      state,
    },
    loop,
    recipe,
  };
}

/** A checkpoint of the kind of run whose recipe has `part`, and that part. @throws DataError [CHECKPOINT_KIND] for one of another kind */
export async function readCheckpointOf(
  from: string | Uint8Array | Blob,
  part: string,
): Promise<{ checkpoint: Checkpoint; kept: JsonObject }> {
  const checkpoint = await readCheckpoint(from);
  const kept = checkpoint.recipe[part];
  if (kept) return { checkpoint, kept: kept as JsonObject };
  const message = "is the checkpoint of another kind of run; resume it with the verb that wrote it";
  throw new DataError(nameOf(from, "checkpoint"), message, "CHECKPOINT_KIND");
}
