/** What a model takes: its file, the same after gzip, and its numbers in memory; and what the process takes. */
import { builtin, inNode } from "../../engine/files/node.ts";
import { decodeModel } from "../model-file.ts";

/** A saved model, read for what it costs. */
export interface SavedFacts {
  readonly kind: string;
  readonly description: ReturnType<ReturnType<typeof decodeModel>["describe"]>;
  /** Bytes of its numbers in memory. */
  readonly numbers: number;
  readonly file: Uint8Array;
}

/** Undefined for what has no file. */
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

/** Bytes of the process: now, and at most since it began. Null where there is no process. */
export function residentSize(): { now: number; peak: number } | null {
  if (!inNode()) return null;
  const { process } = globalThis;
  return { now: process.memoryUsage.rss(), peak: 1024 * (highWater() ?? process.resourceUsage().maxRSS) };
}

/** KiB, of the process itself, where the system is Linux: what `getrusage` counts there has the size of the process that started this one in it. */
function highWater(): number | undefined {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(builtin("node:fs").readFileSync("/proc/self/status", "utf8"));
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of the WebAssembly memory that the predictor runs on, where it says so. */
export function wasmSize(predictor: object): number | null {
  const bytes = (predictor as { memoryBytes?: unknown }).memoryBytes;
  return typeof bytes === "number" ? bytes : null;
}
