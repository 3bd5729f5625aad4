/** All layers, one line each. The JSON reader of layers, the public entry and the conformance tests read this list. */
export * from "../augment.ts";
export * from "./activation.ts";
export * from "./batch-norm.ts";
export * from "./blocks.ts";
export * from "./branches.ts";
export * from "./circulant.ts";
export * from "./convolution.ts";
export * from "./dense.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export * from "./gru.ts";
export * from "./layer-norm.ts";
export * from "./lstm.ts";
export * from "./pool.ts";
export * from "./reshaped.ts";
export * from "./sequential.ts";
export * from "./shuffle.ts";
