/**
 * `ergodic explain MODEL DATA`: importance of the columns of a saved model, by gain for trees and by permutation. With
 * --row, contributions of the columns to the score of one row.
 */
import type { Command } from "commander";
import { type Dataset, predictor, type TreesPredictor } from "ergodic";
import type { RowPredictor } from "ergodic/calibration";
import { attributions, type Importance, importance } from "ergodic/explain";
import { writeWhole } from "ergodic/extend";
import type { AnyPredictor } from "ergodic/predict";
import { rawRows, readHeldOut } from "../data.ts";
import { UsageError } from "../errors.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { whole } from "../options/number.ts";
import { addFormatOptions, type FormatOptions } from "../options/reading.ts";
import { labelsText } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { counted, json, significant } from "../report/numbers.ts";
import { table } from "../report/text-table.ts";
import type { Terminal } from "../terminal.ts";

interface ExplainOptions extends FormatOptions, LimitOptions {
  row?: number;
  repeats?: number;
  seed?: number;
  plot?: string;
  json?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("explain")
    .description("rank the columns of a saved model by importance, or explain the score of one row")
    .argument("<MODEL>", "a model file written by train or path")
    .argument("<DATA>", "rows with a known target or, with --row, any rows: a file, a folder of images, or - for standard input");
  addLimitOptions(addFormatOptions(command))
    .option("--row <n>", "explain this row, counted from 1, by the contribution of every column; for trees", whole(1))
    .option("--repeats <n>", "number of times to shuffle each column; default 5", whole(1))
    .option("--seed <n>", "seed for the shuffles; default 0", whole(0))
    .option("--plot <file>", "also write an SVG plot to this file: importance or, with --row, contributions of all rows")
    .option("--labels <file>", labelsText)
    .option("--json", "print the result as one JSON object");
  command.action((file: string, data: string, options: ExplainOptions) => explain(file, data, options, terminal));
}

async function explain(file: string, data: string, options: ExplainOptions, terminal: Terminal): Promise<void> {
  const { row, repeats, seed, plot, labels } = options;
  if (row !== undefined && (repeats !== undefined || seed !== undefined))
    throw new UsageError("explain", "--repeats and --seed are for importance; leave them out, or leave --row out");
  const inputs = [
    { flag: "MODEL", path: file },
    { flag: "DATA", path: data },
    { flag: "--labels", path: labels },
  ];
  await checkOutputs("explain", [{ flag: "--plot", path: plot }], inputs);
  const model = await predictor<AnyPredictor>(file, limitsOf(options));
  if (model.kind === "factorisation")
    throw new UsageError("explain", `${file} predicts ratings of users and items; give a model written by train`);
  if (row === undefined) await rankColumns(file, model, data, options, terminal);
  else if (model.kind === "trees") await explainRow(file, model, data, row, options, terminal);
  else
    throw new UsageError(
      "explain",
      `--row is for trees, but ${file} is a model of kind ${model.kind}; leave --row out, or train with --model trees`,
    );
}

async function rankColumns(
  file: string,
  model: RowPredictor,
  data: string,
  { repeats = 5, seed = 0, ...options }: ExplainOptions,
  terminal: Terminal,
): Promise<void> {
  using rows: Dataset = await readHeldOut(data, model.pipeline, options);
  const permutation = importance(model, { by: "permutation", data: rows, repeats, seed });
  const gain = model.kind === "trees" && model.ensemble.gain.length > 0 ? importance(model, { by: "gain" }) : undefined;
  if (options.plot !== undefined) {
    const { plotImportance } = await import("@ergodic/plots");
    await writeWhole(options.plot, plotImportance(permutation));
  }
  if (options.json)
    terminal.out(`${json({ command: "explain", model: file, data, rows: rows.rowCount, permutation, gain: gain ?? null })}\n`);
  else {
    const { out: paint } = terminal.paint;
    const head = `${model.targetName}, ${counted(rows.rowCount, "row")} of ${data}: increase of the loss if a column is shuffled`;
    terminal.out(`${paint.bold(head)}\n${importanceText(permutation, gain, terminal)}`);
  }
  notePlot(options, terminal);
}

function importanceText(found: readonly Importance[], gain: readonly Importance[] | undefined, terminal: Terminal): string {
  const total = gain?.reduce((sum, { value }) => sum + value, 0) ?? 0;
  const shareOf = (column: string): string => {
    const own = gain!.find((one) => one.column === column)?.value ?? 0;
    return total > 0 ? `${((100 * own) / total).toFixed(1)} %` : "0.0 %";
  };
  const header = ["column", "increase", "standard error", ...(gain ? ["share of gain"] : [])];
  const lines = found.map(({ column, value, standardError }) => [
    column,
    significant(value),
    standardError === undefined ? "" : significant(standardError),
    ...(gain ? [shareOf(column)] : []),
  ]);
  return table(header, lines, { paint: terminal.paint.out });
}

async function explainRow(
  file: string,
  model: TreesPredictor,
  data: string,
  row: number,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<void> {
  const rows = await rawRows(data, model.pipeline, options);
  if (row > rows.rowCount)
    throw new UsageError("explain", `--row is ${row}, but ${data} has ${counted(rows.rowCount, "row")}; give a smaller number`);
  const found = attributions(model, rows);
  const { columns, outputs, base } = found;
  const scores = outputs.map((output, k) => {
    const from = ((row - 1) * outputs.length + k) * columns.length;
    const contributions = columns
      .map((column, j) => ({
        column,
        value: shownValue(model, found.rows[(row - 1) * columns.length + j], column),
        contribution: found.values[from + j],
      }))
      .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    return { output, base: base[k], score: contributions.reduce((sum, one) => sum + one.contribution, base[k]), contributions };
  });
  if (options.plot !== undefined) {
    const { plotAttributions } = await import("@ergodic/plots");
    await writeWhole(options.plot, plotAttributions(found));
  }
  if (options.json) terminal.out(`${json({ command: "explain", model: file, data, row, scores })}\n`);
  else {
    const { out: paint } = terminal.paint;
    for (const { output, base: start, score, contributions } of scores) {
      const lines = contributions.map(({ column, value, contribution }) => [column, String(value ?? ""), signed(contribution)]);
      const all = [["mean of the training rows", "", significant(start)], ...lines, ["score", "", significant(score)]];
      terminal.out(
        `${paint.bold(`${output}, row ${row} of ${data}`)}\n${table(["column", "value", "contribution"], all, { left: [0, 1], paint })}`,
      );
    }
  }
  notePlot(options, terminal);
}

const signed = (value: number): string => (value > 0 ? `+${significant(value)}` : significant(value));

/** Returns a number, the level of a category, or null if the value is missing. */
function shownValue({ pipeline }: TreesPredictor, value: number, column: string): number | string | null {
  if (Number.isNaN(value)) return null;
  const input = pipeline.inputs?.find(({ name }) => name === column);
  const levels = input && "levels" in input ? (input.levels as readonly string[]) : undefined;
  const isCode = levels && pipeline.steps.some(({ kind }) => kind === "cells");
  return isCode ? (levels[value] ?? null) : value;
}

function notePlot({ plot }: ExplainOptions, terminal: Terminal): void {
  if (plot !== undefined) terminal.note(`plot written to ${plot}`);
}
