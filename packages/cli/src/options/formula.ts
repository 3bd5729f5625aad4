/**
 * Builds a regression from a formula and a table: `--formula "y ~ x + (1 | g)" --data FILE`, with `--family` and
 * `--levels COLUMN=a,b,c`.
 *
 * @throws UsageError for a formula together with a model's file, or without data
 */
import { readTable } from "@ergodic/ingest";
import { regression, type StatisticalModel } from "ergodic";
import type { FamilyName, FormulaData, RegressionOptions } from "ergodic/bayes";
import { UsageError } from "../errors.ts";
import { told } from "../report/remarks.ts";

export interface FormulaWords {
  formula?: string;
  family?: string;
  levels?: readonly string[];
  data?: string;
  groupEffects?: boolean;
}

export interface FormulaModel {
  readonly model: StatisticalModel<FormulaData>;
  readonly data: FormulaData;
  /** Remarks about the table, one line each. */
  readonly remarks: readonly string[];
}

/** Checks that either a formula or a model's file is given. */
export function checkFormula(path: string | undefined, words: FormulaWords): void {
  const { formula, family, levels, data, groupEffects } = words;
  if (path !== undefined && formula !== undefined)
    throw new UsageError("--formula", `it replaces the model file, but ${path} is also given; leave one of them out`);
  if (path === undefined && formula === undefined)
    throw new UsageError("<MODEL>", 'no model is given; give its file, or --formula "y ~ x + (1 | group)" --data d.csv');
  if (formula !== undefined && data === undefined) throw new UsageError("--formula", "it needs a table; give --data d.csv");
  const [alone] = Object.entries({ "--family": family, "--levels": levels, "--group-effects": groupEffects }).flatMap(
    ([flag, value]) => (value === undefined ? [] : [flag]),
  );
  if (formula === undefined && alone !== undefined)
    throw new UsageError(alone, "it applies only to a formula; give --formula, or leave it out");
}

export async function modelOfFormula({ formula, family, levels = [], data }: FormulaWords): Promise<FormulaModel> {
  const options: RegressionOptions = {
    ...(family === undefined ? {} : { family: family as FamilyName }),
    levels: Object.fromEntries(levels.map(levelsOf)),
  };
  const model = regression(formula!, options);
  const table = await readTable(data!);
  return { model, data: table, remarks: told(table.remarks ?? []).map(({ message }) => `${data}: ${message}`) };
}

function levelsOf(text: string): [column: string, levels: string[]] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("--levels", `"${text}" names no column; write --levels size=small,large`);
  return [text.slice(0, at), text.slice(at + 1).split(",")];
}
