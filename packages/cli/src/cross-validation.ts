/** `train --folds`: evaluates the model on unseen rows, fold by fold, and reports the spread of each metric. */
import { readTable } from "@ergodic/ingest";
import type { Command } from "commander";
import { crossValidate, DataError, type Dataset, type FitOptions, type LinearModel } from "ergodic";
import type { CrossValidated } from "ergodic/learning";
import type { ReadingOptions } from "./data.ts";
import { UsageError } from "./errors.ts";
import type { AnyModel } from "./options/model.ts";
import { whole } from "./options/number.ts";
import { formatOptions } from "./options/reading.ts";
import { columnNamed } from "./ratings.ts";
import { metricNames, metricText } from "./report/metrics.ts";
import { counted, duration, grouped } from "./report/numbers.ts";
import { table } from "./report/text-table.ts";
import type { Paint, Terminal } from "./terminal.ts";

export interface FoldOptions {
  folds?: number;
  group?: string;
  time?: string;
  testShare?: number;
  validateShare?: number;
}

/** Adds options for evaluating a trained model on more than held-out rows. */
export function addJudgingOptions(command: Command): Command {
  return command
    .optionsGroup("Evaluation:")
    .option(
      "--standard-errors",
      "linear: print standard errors, intervals and tests of the coefficients; solves without a penalty",
    )
    .option("--folds <n>", "cross-validate first: train n models, and test each on the rows that it did not see", whole(2))
    .option("--group <column>", "with --folds: hold out rows with equal values of this column together; it is not an input")
    .option(
      "--time <column>",
      "with --folds: test each period of this column with a model trained on all earlier periods; it is not an input",
    );
}

/** Checks the fold options before anything is read. */
export function checkFolds(path: string, { folds, group, time, testShare, validateShare }: FoldOptions): void {
  const by = group === undefined ? (time === undefined ? undefined : "--time") : "--group";
  if (folds === undefined && by) throw new UsageError(by, "defines the folds, but --folds is not given; add --folds 5");
  if (folds === undefined) return;
  if (group !== undefined && time !== undefined) throw new UsageError("--group", "and --time were both given; leave one out");
  if (!by) return;
  if (path === "-")
    throw new UsageError(by, "is read from the file a second time, which standard input does not allow; name a file");
  const cut = testShare !== undefined ? "--test-share" : validateShare !== undefined ? "--validate-share" : undefined;
  if (cut)
    throw new UsageError(
      by,
      `keeps rows together, but ${cut} would split them at random; give ${cut.replace("-share", "")} a file, or leave it out`,
    );
}

/** Column that defines the folds. */
export interface FoldColumn {
  /** Position in the file, from 0. */
  readonly position: number;
  /** Group or time of each row. Groups are strings, exactly as in the file. Times are numbers if all are numeric. */
  readonly values: (string | number)[];
}

export async function foldColumn(path: string, options: ReadingOptions & FoldOptions): Promise<FoldColumn | undefined> {
  const { group, time } = options;
  const asked = group ?? time;
  if (asked === undefined) return undefined;
  const key = /^-?\d+$/.test(asked) ? Number(asked) : asked;
  const given = await readTable(path, { ...formatOptions(options), ...(group === undefined ? {} : { categories: [key] }) });
  const name = columnNamed(given, key, group === undefined ? "--time" : "--group");
  const position = given.columns.findIndex((one) => one.name === name);
  const column = given.columns[position];
  const missing = column.kind === "number" ? column.values.findIndex(Number.isNaN) : column.codes.indexOf(-1);
  if (missing >= 0)
    throw new DataError(
      path,
      `row ${missing + 1} has no value in column "${name}", which defines the folds; remove rows without a value`,
      "DATA_MISSING",
    );
  const values = column.kind === "number" ? [...column.values] : Array.from(column.codes, (code) => column.levels[code]);
  return { position, values };
}

export async function crossValidated(
  model: AnyModel,
  data: Dataset,
  by: (string | number)[] | undefined,
  { folds, group, seed, quiet }: FoldOptions & { seed: number; quiet?: boolean },
  fit: FitOptions,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<CrossValidated> {
  return crossValidate(model as LinearModel, data, {
    folds: folds!,
    ...(by === undefined ? {} : group === undefined ? { time: by } : { groups: by }),
    fit,
    seed,
    signal,
    onFold({ train, test, metrics, seconds }, number) {
      if (quiet) return;
      const [name] = metricNames(metrics);
      const [label, value] = metricText(name, metrics[name], null);
      terminal.note(
        `fold ${number + 1} of ${folds}: ${counted(train, "row")} to train on, ${grouped(test)} held out; ${label} ${value}; ${duration(seconds)}`,
      );
    },
  });
}

const by: Readonly<Record<CrossValidated["by"], string>> = {
  random: "rows at random",
  group: "groups held out",
  time: "each period tested with a model of the earlier ones",
};

/** Formats one line per metric: the value of each fold, then mean and spread. */
export function foldsText(found: CrossValidated, positive: string | null, paint: Paint): string {
  const names = metricNames(found.metrics);
  const rows = names.map((name) => {
    const { mean, sd } = found.metrics[name];
    const [label, text] = metricText(name, mean, positive);
    return [
      label,
      ...found.folds.map(({ metrics }) => metricText(name, metrics[name] ?? Number.NaN, positive)[1]),
      text,
      metricText(name, sd, positive)[1],
    ];
  });
  const header = [
    paint.bold(`${counted(found.folds.length, "fold")}, ${by[found.by]}`),
    ...found.folds.map((_, k) => String(k + 1)),
    "mean",
    "± sd",
  ];
  return table(header, rows);
}
