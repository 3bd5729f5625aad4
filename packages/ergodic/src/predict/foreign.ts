import { DataError } from "../engine/errors/errors.ts";

/**
 * Refuses model files of other programs. The error names a program that can run the file. @throws DataError for an ONNX
 * file
 */
export function refuseForeign(bytes: Uint8Array, where: string): void {
  // An ONNX file begins with its version, which is followed by the producer's name, the graph or the imported
  // operators.
  if (bytes[0] !== 8 || ![0x12, 0x3a, 0x42].includes(bytes[2])) return;
  const advice = "run it with onnxPredictor of @ergodic/serve/onnx, in a page with onnxruntime-web";
  throw new DataError(where, `is an ONNX model; ${advice}`, "MODEL_FORMAT");
}
