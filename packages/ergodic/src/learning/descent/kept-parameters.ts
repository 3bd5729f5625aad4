import type { Snapshot, Tensor } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { PARAMETER_SCALE } from "../../engine/numbers/fixed-point.ts";

/**
 * Returns the parameters in a checkpoint of gradientDescent(), in the problem's layout. Reads checkpoints of minibatch
 * descent (descent.ts), whose replicas are averaged, and of descent on full gradients (full.ts). Returns undefined if
 * another algorithm wrote the checkpoint.
 */
export function keptParameters(snapshot: Snapshot): Float64Array | undefined {
  const { tensors } = snapshot;
  const single: Tensor | undefined = tensors["vector.parameter"] ?? tensors.x;
  if (single) return Float64Array.from(single);
  const kept = new KeptPart("the descent", snapshot);
  const copies = Object.keys(tensors).filter((name) => /^parameters\.\d+$/.test(name));
  if (copies.length === 0) return undefined;
  const mean = new Float64Array(tensors[copies[0]].length);
  for (const name of copies) {
    const stored = tensors[name];
    if (stored.length !== mean.length) kept.refuse(`"${name}" has ${stored.length} numbers, but ${mean.length} are wanted`);
    const scale = tensors[name.replace("parameters", "scale")]?.[0] ?? 1;
    const unit = (stored instanceof Int16Array ? PARAMETER_SCALE : 1) * scale;
    for (let i = 0; i < mean.length; i++) mean[i] += (unit * stored[i]) / copies.length;
  }
  return mean;
}
