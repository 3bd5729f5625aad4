/** `@ergodic/serve/onnx`: models as ONNX files, and ONNX files as models. */
export { toOnnx } from "./export.ts";
