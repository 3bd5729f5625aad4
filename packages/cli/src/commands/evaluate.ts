/**
 * `ergodic evaluate MODEL DATA`: metrics of a saved model on rows with a known target, or of a factorisation on
 * ratings.
 */
import type { Command } from "commander";
import { type Dataset, type FactorPredictor, predictor } from "ergodic";
import { type Coverage, coverage, type RowPredictor } from "ergodic/calibration";
import type { AnyPredictor } from "ergodic/predict";
import { readHeldOut, refuseNewLevels } from "../data.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { whole } from "../options/number.ts";
import { addFormatOptions, type FormatOptions } from "../options/reading.ts";
import { addRatingOptions, addUnknownOption, labelsText } from "../options/training.ts";
import { bestOf, columnsOf, newNames, pairsOfRatings, type RatingColumns, readRatings } from "../ratings.ts";
import { confusionText, metricsText, positiveClass } from "../report/metrics.ts";
import { counted, json } from "../report/numbers.ts";
import { told } from "../report/remarks.ts";
import type { Terminal } from "../terminal.ts";

interface EvaluateOptions extends FormatOptions, LimitOptions, Partial<RatingColumns> {
  exclude?: string;
  count: number;
  unknown?: "zero" | "refuse";
  json?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("evaluate")
    .description("test a saved model on rows with a known target")
    .argument("<MODEL>", "a model file written by train, path or recommend")
    .argument("<DATA>", "a file, a folder of images, or - for standard input");
  addUnknownOption(addLimitOptions(addFormatOptions(command)), "category levels, users and items")
    .option("--labels <file>", labelsText)
    .option("--json", "print the result as one JSON object");
  addRatingOptions(command)
    .option("--value <column>", "column of values")
    .option("--exclude <file>", "file of training ratings; the items that a user rated there are not recommended")
    .option("--count <n>", "number of recommendations per user to evaluate", whole(1), 10);
  command.action(async (file: string, data: string, options: EvaluateOptions) => {
    const model = await predictor<AnyPredictor>(file, limitsOf(options));
    if (model.kind === "factorisation") await evaluateFactors(file, model, data, options, terminal);
    else await evaluateRows(file, model, data, options, terminal);
  });
}

async function evaluateRows(
  file: string,
  model: RowPredictor,
  data: string,
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<void> {
  using rows = await readHeldOut(data, model.pipeline, options);
  const remarks = told(rows.remarks);
  refuseNewLevels(data, remarks, options);
  const metrics = { ...model.evaluate(rows), ...coverageOf(model, rows) };
  const { task, classes, targetName } = model;
  const positive = positiveClass(model);
  if (options.json) {
    terminal.out(
      `${json({ command: "evaluate", model: file, data, rows: rows.rowCount, task, target: targetName, classes: classes ?? null, positive, metrics, remarks })}\n`,
    );
    return;
  }
  for (const { message } of remarks) terminal.note(`${data}: ${message}`);
  const { out: paint } = terminal.paint;
  terminal.out(
    `${paint.bold(`${targetName}, ${counted(rows.rowCount, "row")} of ${data}`)}\n${metricsText(metrics, paint, positive)}`,
  );
  if (classes) terminal.out(confusionText(metrics.confusion!, classes, paint));
}

/** Coverage of a model with prediction sets or intervals. */
function coverageOf(model: RowPredictor, rows: Dataset): Partial<Pick<Coverage, "coverage" | "size">> {
  const { conformal } = (model.description.calibration ?? {}) as { conformal?: object };
  if (!conformal) return {};
  const { coverage: share, size } = coverage(model, rows);
  return { coverage: share, size };
}

async function evaluateFactors(
  file: string,
  model: FactorPredictor,
  data: string,
  options: EvaluateOptions,
  terminal: Terminal,
): Promise<void> {
  const columns = columnsOf(model, options, "evaluate");
  const { user, item, value } = options;
  const typed = { user, item, value };
  const ratings = await readRatings(data, columns, options, undefined, typed);
  using _ratings = ratings;
  const named = ratings.columns!;
  const remarks = newNames(model, pairsOfRatings(ratings), named, "ratings");
  refuseNewLevels(data, remarks, options);
  using exclude =
    options.exclude === undefined ? undefined : await readRatings(options.exclude, columns, options, undefined, typed);
  const metrics = model.evaluate(ratings, { count: options.count, ...(exclude ? { exclude } : {}) });
  const { task } = model;
  const target = named.value ?? null;
  if (options.json) {
    terminal.out(
      `${json({ command: "evaluate", model: file, data, rows: ratings.count, task, target, classes: null, positive: null, metrics, remarks })}\n`,
    );
    return;
  }
  for (const { message } of remarks) terminal.note(`${data}: ${message}`);
  const { out: paint } = terminal.paint;
  terminal.out(
    `${paint.bold(`${target ?? task}, ${counted(ratings.count, "rating")} of ${data}${bestOf(model, options.count)}`)}\n${metricsText(metrics, paint, null)}`,
  );
}
