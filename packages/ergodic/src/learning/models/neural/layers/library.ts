/** All files that define layers of this library, an explicit list: what asks for a layer by its kind holds them. */
export * from "../augment.ts";
export * from "./activation.ts";
export * from "./batch-norm.ts";
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
