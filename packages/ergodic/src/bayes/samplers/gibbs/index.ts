/** Gibbs sampling: blocks and their updates. */
export type { BlockUpdate } from "./block.ts";
export type { BlockValues, Conditional, Values } from "./conditional.ts";
export { conjugate } from "./conjugate.ts";
export { type EnumerateOptions, enumerate } from "./enumerate.ts";
export { type BlockOptions, type GibbsBlocks, gibbs, type UpdateBy } from "./gibbs.ts";
