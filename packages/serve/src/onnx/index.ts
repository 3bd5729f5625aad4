/** `@ergodic/serve/onnx`: exports models as ONNX files, and runs ONNX files as models. */
export { toOnnx } from "./export.ts";
export { type OnnxOptions, OnnxPredictor, type OnnxRunOptions, onnxPredictor } from "./predictor.ts";
export type { OnnxPort, OnnxTensor, TensorType } from "./tensors.ts";
