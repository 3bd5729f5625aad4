import type { Dataset } from "../../engine/data/dataset.ts";
import type { SparseOptions, TableOptions } from "../../engine/data/from-table.ts";
import type { SparseTable, Table } from "../../engine/data/table.ts";
import type { Until } from "../../engine/loop/stopping.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";

/** Rows of a stream: a dataset, or a table as readers give it. */
export type Block = Dataset | Table | SparseTable;

/** Blocks, one after another. */
export type Blocks = AsyncIterable<Block> | Iterable<Block>;

/** Options of `fit.stream`. */
export interface StreamOptions {
  /** The step rule. Default: that of `fit`: adagrad() for linear models, adam() for networks. */
  rule?: Rule;
  /** Rows an update, a whole number from 1 to 65536. Default 1. */
  batch?: number;
  /** Seed of initial weights and dropout, a whole number >= 0. Default 0. */
  seed?: number;
  /** Where blocks are tables: how the first becomes a dataset, as `Dataset.fromTable` (target, weights, impute …) or `fromSparse` take it. */
  table?: TableOptions | SparseOptions;
  /** All classes, where the first block may lack some. Default: those of its rows, and others that its table lists. */
  classes?: readonly string[];
  /** When to stop before the blocks end: `updates` or `seconds`, whichever comes first. */
  until?: Pick<Until, "updates" | "seconds">;
  /** Aborts the run. */
  signal?: AbortSignal;
}
