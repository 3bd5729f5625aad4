import type { Dataset } from "../../engine/data/dataset.ts";
import type { SparseOptions, TableOptions } from "../../engine/data/from-table.ts";
import type { SparseTable, Table } from "../../engine/data/table.ts";
import type { Until } from "../../engine/loop/stopping.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";

/** Rows of a stream: a dataset, or a table as returned by readers. */
export type Block = Dataset | Table | SparseTable;

/** Blocks that arrive one after another. */
export type Blocks = AsyncIterable<Block> | Iterable<Block>;

/** Options of `fit.stream`. */
export interface StreamOptions {
  /** Step rule. Default as in `fit`: adagrad() for linear models, adam() for networks. */
  rule?: Rule;
  /** Rows per update, a whole number from 1 to 65536. Default 1. */
  batch?: number;
  /** Seed of initial weights and dropout, a whole number >= 0. Default 0. */
  seed?: number;
  /**
   * Options for making datasets, if blocks are tables: the options of `Dataset.fromTable` (target, weights, impute …)
   * or `fromSparse`. These options apply to the first block.
   */
  table?: TableOptions | SparseOptions;
  /**
   * All classes. Required if some classes might be missing from the first block. Default: the classes in the first
   * block's rows and any other classes that its table lists.
   */
  classes?: readonly string[];
  /** Limits that stop the run before the blocks end: `updates` or `seconds`, whichever is reached first. */
  until?: Pick<Until, "updates" | "seconds">;
  /** Aborts the run. */
  signal?: AbortSignal;
}
