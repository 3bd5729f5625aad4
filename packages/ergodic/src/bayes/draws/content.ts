/** What draws consist of: their numbers by name, and what needs the model. */

import type { JsonObject } from "../../engine/contract/index.ts";
import { holds, refuse } from "../../engine/errors/checks.ts";

/** A named quantity of draws and its shape; [] for one number. */
export interface DrawsQuantity {
  /** Its name. */
  readonly name: string;
  /** Its shape; [] for one number. */
  readonly shape: readonly number[];
  /** Whether it is a parameter, computed from parameters, or drawn. */
  readonly kind: "parameter" | "transformed" | "generated";
}

/** What needs the model: there where the draws were made, not where they were read from a file. */
export interface DrawsSource {
  /** log p of each observed value, by name: [chain, draw, value]. */
  pointwise(): Readonly<Record<string, Float64Array>>;
  /** Names of those whose terms depend on each other, so that to drop one is not to leave its value out. */
  dependent(): ReadonlySet<string>;
  /** Whether parts of the likelihood may be in target(). */
  readonly hasTarget: boolean;
  /** What was observed, drawn anew for each draw. */
  predict(seed: number): DrawsContent;
  /** What the draws predict of new rows. `seed`: of the noise; `draws`: so many of them, evenly; `rows`: the size that counts rows. */
  newRows(options: { readonly seed: number; readonly draws?: number; readonly rows?: string }): Promise<RowDraws>;
  /** Names of what was observed in part, of which draws are whole values. */
  hidden(): ReadonlySet<string>;
  /** What was observed, by name. */
  observed(): Readonly<Record<string, Float64Array>>;
}

/** What draws predict of new rows of data, one row at a time. */
export interface RowDraws {
  /** What a row gives: names, and shapes of one row's. */
  readonly fields: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Other data of the model, the same for all rows. */
  readonly others: readonly string[];
  /** What is predicted: names, and shapes of one row's. */
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly discrete: boolean }[];
  /** Of a model that reads rows itself: what a row must have, which of it were texts, and its numbers by field. */
  readonly reading:
    | {
        readonly columns: readonly string[];
        readonly texts: readonly string[];
        numbers(row: unknown, where: string): Readonly<Record<string, Float64Array>>;
      }
    | undefined;
  /** Draws that predictions are made from. */
  readonly drawCount: number;
  /** Names of levels, by the outputs that are places among them. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** `row`: numbers of its fields, one after another; `where`: of errors. What is returned is there until the next call. @throws DataError */
  of(row: Float64Array, where: string): RowPrediction;
  dispose(): void;
}

/** Of each number of the outputs, one after another. */
export interface RowPrediction {
  /** Predictive mean. */
  readonly mean: Float64Array;
  /** Predictive standard deviation. */
  readonly sd: Float64Array;
  /** Values drawn, one from each draw. */
  readonly drawn: readonly Float64Array[];
  /** Its mean under each draw; NaN where its family has none. */
  readonly expected: readonly Float64Array[];
  /** Of numbers that are places of levels: the probability of each level under each draw. */
  readonly levels: readonly (readonly Float64Array[] | undefined)[];
}

/** Draws as plain data: what files of draws hold. */
export interface DrawsContent {
  /** Chains. */
  readonly chains: number;
  /** Draws of each chain. */
  readonly count: number;
  /** Names, shapes and kinds of what was drawn. */
  readonly quantities: readonly DrawsQuantity[];
  /** By name: [chain, draw, ...shape]. */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** Names of the numbers kept of each transition. */
  readonly fields: readonly string[];
  /** [chain, draw, field]. */
  readonly transitions: Float64Array;
  /** Model, algorithm and plan, as JSON. */
  readonly description: JsonObject;
  /** What the run reported last. */
  readonly report: Readonly<Record<string, number>>;
  /** What needs the model; only where the draws were made. */
  readonly source?: DrawsSource;
}

/** What `sample` gives, or is read from a file. @throws OptionError */
export function contentOf(where: string, draws: { readonly content: DrawsContent }): DrawsContent {
  const content: unknown = holds(draws, "content") ? draws.content : undefined;
  if (!holds(content, "quantities"))
    refuse(where, "draws", draws, "draws", "await sample(model, data), or await loadDraws(file)");
  return content as DrawsContent;
}
