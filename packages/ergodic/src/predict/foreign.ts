import { DataError } from "../engine/errors/errors.ts";

/** Files of others that are known, and what runs them. @throws DataError for one */
export function refuseForeign(bytes: Uint8Array, where: string): void {
  // ONNX begins with its version, then the name of what made it, the graph, or the imported operators.
  if (bytes[0] !== 8 || ![0x12, 0x3a, 0x42].includes(bytes[2])) return;
  const advice = "run it with onnxPredictor of @ergodic/serve/onnx, in a page with onnxruntime-web";
  throw new DataError(where, `is an ONNX model; ${advice}`, "MODEL_FORMAT");
}
