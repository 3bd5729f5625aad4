/**
 * Memory and storage sizes: the model's file, the file after gzip, the model's parameters in memory, and the whole
 * process.
 */
import { builtin, inNode } from "../../engine/files/node.ts";
import { decodeModel } from "../model-file.ts";

/** Properties of a saved model that determine its cost. */
export interface SavedFacts {
  readonly kind: string;
  readonly description: ReturnType<ReturnType<typeof decodeModel>["describe"]>;
  /** Bytes of its parameters in memory. */
  readonly numbers: number;
  readonly file: Uint8Array;
}

/** Returns the properties of the saved model. Returns undefined if the predictor has no file. */
export function factsOf(predictor: object): SavedFacts | undefined {
  if (!("toBytes" in predictor) || typeof predictor.toBytes !== "function") return undefined;
  const file = (predictor.toBytes as () => Uint8Array).call(predictor);
  const { metadata, tensors, describe } = decodeModel(file, "measure");
  const numbers = Object.values(tensors).reduce((sum, { values }) => sum + values.byteLength, 0);
  return { kind: metadata.kind, description: describe(), numbers, file };
}

export async function gzipSize(bytes: Uint8Array): Promise<number> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).arrayBuffer()).byteLength;
}

/** Memory of the process in bytes: the current value, and the peak since it started. Null if there is no process. */
export function residentSize(): { now: number; peak: number } | null {
  if (!inNode()) return null;
  const { process } = globalThis;
  return { now: process.memoryUsage.rss(), peak: 1024 * (highWater() ?? process.resourceUsage().maxRSS) };
}

/**
 * Peak memory of this process alone in KiB, on Linux. The peak from `getrusage` can also include memory of the parent
 * process.
 */
function highWater(): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(builtin("node:fs").readFileSync("/proc/self/status", "utf8"));
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the size in bytes of the WebAssembly memory that the predictor uses, or null if it does not report this size.
 */
export function wasmSize(predictor: object): number | null {
  const bytes = (predictor as { memoryBytes?: unknown }).memoryBytes;
  return typeof bytes === "number" ? bytes : null;
}
