/** Content of draws: the numbers by name, and the operations that need the model. */

import type { JsonObject } from "../../engine/contract/index.ts";
import type { Remark } from "../../engine/data/table.ts";
import { holds, refuse } from "../../engine/errors/checks.ts";

/** Named quantity of draws. */
export interface DrawsQuantity {
  /** Name of the quantity. */
  readonly name: string;
  /** Shape; [] for a single number. */
  readonly shape: readonly number[];
  /** Kind of quantity: a model parameter, a value computed from parameters, or a simulated value. */
  readonly kind: "parameter" | "transformed" | "generated";
}

/**
 * Operations that need the model. These operations are available only in the process that made the draws, not after
 * draws are read from a file.
 */
export interface DrawsSource {
  /** Log density of each observed value, by name: [chain, draw, value]. */
  pointwise(): Readonly<Record<string, Float64Array>>;
  /**
   * Names of observed quantities with terms that depend on each other. If one of these terms is dropped, the other
   * terms still contain the influence of its value.
   */
  dependent(): ReadonlySet<string>;
  /** Whether the model calls target(), which might contain parts of the likelihood. */
  readonly hasTarget: boolean;
  /** Simulates the observed data again, once per draw. */
  predict(seed: number): DrawsContent;
  /**
   * Predicts new rows from the draws. `seed`: seed of the noise; `draws`: number of draws to use, evenly spaced;
   * `rows`: name of the size that counts rows.
   */
  newRows(options: { readonly seed: number; readonly draws?: number; readonly rows?: string }): Promise<RowDraws>;
  /**
   * Names of quantities that are only partially observed, such as censored ones. Their simulated values are complete.
   */
  hidden(): ReadonlySet<string>;
  /** Observed values by name. */
  observed(): Readonly<Record<string, Float64Array>>;
}

/** Predictions from draws for new rows of data, one row at a time. */
export interface RowDraws {
  /** Names of the inputs that a row provides, and their shapes within a row. */
  readonly fields: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Names of the model's other data. These are the same for every row. */
  readonly others: readonly string[];
  /** Names and per-row shapes of the predicted quantities. */
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly discrete: boolean }[];
  /**
   * Row reader, if the model parses its own rows: required columns, columns that held strings, a function that returns a
   * row's numbers by field, and one that finds new groups. Otherwise undefined.
   */
  readonly reading:
    | {
        readonly columns: readonly string[];
        readonly texts: readonly string[];
        numbers(row: unknown, where: string): Readonly<Record<string, Float64Array>>;
        newGroups(rows: readonly Readonly<Record<string, unknown>>[]): Remark[];
      }
    | undefined;
  /** Number of draws used for predictions. */
  readonly drawCount: number;
  /** Level names of categorical outputs, by output. The values of these outputs are level indices. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /**
   * Predicts one row. `row`: the numbers of its fields, concatenated; `where`: prefix of error messages. The result is
   * valid until the next call. @throws DataError
   */
  of(row: Float64Array, where: string): RowPrediction;
  dispose(): void;
}

/** Predictions for each number of the outputs, in order. */
export interface RowPrediction {
  /** Predictive mean. */
  readonly mean: Float64Array;
  /** Predictive standard deviation. */
  readonly sd: Float64Array;
  /** Simulated values, one per draw. */
  readonly drawn: readonly Float64Array[];
  /** Expected value under each draw; NaN if the family has no mean. */
  readonly expected: readonly Float64Array[];
  /** Probability of each level under each draw, for outputs that are level indices. */
  readonly levels: readonly (readonly Float64Array[] | undefined)[];
}

/** Draws as plain data, as stored in files. */
export interface DrawsContent {
  /** Number of chains. */
  readonly chains: number;
  /** Number of draws per chain. */
  readonly count: number;
  /** Name, shape and kind of each quantity. */
  readonly quantities: readonly DrawsQuantity[];
  /** Values by quantity name: [chain, draw, ...shape]. */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** Names of the statistics stored for each transition. */
  readonly fields: readonly string[];
  /** Transition statistics: [chain, draw, field]. */
  readonly transitions: Float64Array;
  /** Model, algorithm and plan, as JSON. */
  readonly description: JsonObject;
  /** Last progress report of the run. */
  readonly report: Readonly<Record<string, number>>;
  /** Operations that need the model. Present only in the process that made the draws. */
  readonly source?: DrawsSource;
}

/** Returns the content of draws, whether from `sample` or from a file. @throws OptionError */
export function contentOf(where: string, draws: { readonly content: DrawsContent }): DrawsContent {
  const content: unknown = holds(draws, "content") ? draws.content : undefined;
  if (!holds(content, "quantities"))
    refuse(where, "draws", draws, "draws", "await sample(model, data), or await loadDraws(file)");
  return content as DrawsContent;
}
