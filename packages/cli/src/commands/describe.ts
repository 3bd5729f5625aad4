/** `ergodic describe FILE`: what a saved model holds and how it was made, or what stands in a data file. */
import { open, stat } from "node:fs/promises";
import { readRows } from "@ergodic/ingest";
import type { Command } from "commander";
import { type LinearPredictor, predictor } from "ergodic";
import { type FormatOptions, formatOptions } from "../data.ts";
import { addFormatOptions } from "../options/training.ts";
import { type Described, ruleText, workersText } from "../report/chosen.ts";
import { bytes, counted, grouped, json, percent, significant } from "../report/numbers.ts";
import { pairs, table } from "../report/table.ts";
import { type ColumnSummary, type DataSummary, summarise } from "../summary.ts";
import type { Terminal } from "../terminal.ts";

type DescribeOptions = FormatOptions & { json?: boolean };

const MOST_WEIGHTS = 10;

export function addDescribe(program: Command, terminal: Terminal): void {
  const command = program
    .command("describe")
    .description("what a model or a data file holds")
    .argument("<FILE>", "a file that train wrote, or data");
  addFormatOptions(command).option("--json", "one JSON object on standard output");
  command.action((file: string, options: DescribeOptions) => describe(file, options, terminal));
}

async function describe(file: string, options: DescribeOptions, terminal: Terminal): Promise<void> {
  if (file !== "-" && options.format === undefined && (await isSafetensors(file))) {
    const model = modelSummary(file, (await stat(file)).size, await predictor(file));
    terminal.out(options.json ? `${json({ command: "describe", kind: "model", ...model })}\n` : modelText(model, terminal));
    return;
  }
  const data = summarise(await readRows(file, formatOptions(options)));
  terminal.out(options.json ? `${json({ command: "describe", kind: "data", file, ...data })}\n` : dataText(file, data, terminal));
}

/** A header length, then the brace of its JSON. A missing file is left for the reader to report. */
async function isSafetensors(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(9), 0, 9, 0);
    return bytesRead === 9 && buffer[8] === 0x7b && buffer.readBigUint64LE(0) < 100_000_000n;
  } catch {
    return false; // A folder, which the reader reports.
  } finally {
    await file.close();
  }
}

function modelSummary(file: string, size: number, model: LinearPredictor) {
  const { weights, intercept, columns, classes } = model;
  const at = [...weights.keys()].sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b).slice(0, MOST_WEIGHTS);
  const largest = at.map((i) => ({
    column: columns[i % columns.length],
    output: intercept.length > 1 ? (classes?.[Math.floor(i / columns.length)] ?? null) : null,
    weight: weights[i],
  }));
  const nonZero = weights.reduce((sum, w) => sum + Number(w !== 0), 0);
  return {
    file,
    bytes: size,
    description: model.description as unknown as Described,
    weights: { count: weights.length, nonZero, intercept: [...intercept], largest },
    imputed: model.pipeline.imputed,
  };
}

function modelText({ file, bytes: size, description, weights }: ReturnType<typeof modelSummary>, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const { loss, equation, task, target, pipeline, algorithm, plan, columns } = description;
  const levels = target.levels ? `, ${target.levels.length} classes: ${listed(target.levels)}` : "";
  const made: [string, string][] = [];
  if (algorithm) made.push(["rule", `${algorithm.variance ? `${algorithm.variance.name}, ` : ""}${ruleText(algorithm.rule)}`]);
  if (plan)
    made.push([
      "plan",
      `batch ${plan.batch}, ${plan.schedule} rows, ${workersText(plan)}, ${plan.precision.data}, seed ${plan.seed}`,
    ]);
  const about: [string, string][] = [
    ["kind", `linear, ${task}`],
    ["target", `${target.name}${levels}`],
    ["loss", `${loss.name}: ${equation}`],
    ["pipeline", pipeline.map(({ kind }) => kind).join(" → ")],
    ["columns", `${grouped(columns.length)}: ${listed(columns)}`],
    ["weights", `${grouped(weights.count)}, ${percent(weights.nonZero / weights.count)} not zero`],
    ...made,
  ];
  const rows = weights.largest.map(({ column, output, weight }) => [column, output ?? "", significant(weight)]);
  const head = `${paint.bold(file)} ${paint.dim(bytes(size))}\n`;
  return `${head}${pairs(about, paint)}\n${table(["largest weights", target.levels ? "class" : "", ""], rows, { left: [0, 1], paint })}`;
}

function dataText(file: string, data: DataSummary, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const head = `${paint.bold(file)}  ${counted(data.rowCount, "row")}, ${counted(data.columnCount, "column")}`;
  if (data.format === "sparse") {
    const { target } = data;
    const about: [string, string][] = [
      ["filled", `${percent(data.filled)}, ${significant(data.filled * data.columnCount, 3)} a row`],
      ["target", `${rangeText(target)}, ${target.distinct} different values`],
    ];
    return `${head}, sparse\n${pairs(about, paint)}`;
  }
  const rows = data.columns.map((column) => [
    column.name,
    column.kind,
    column.missing ? grouped(column.missing) : "",
    grouped(column.distinct),
    rangeText(column),
  ]);
  return `${head}\n${table(["column", "kind", "missing", "different", "values"], rows, { left: [0, 1, 4], paint })}`;
}

function rangeText(column: ColumnSummary): string {
  if (column.kind === "category")
    return (
      column.levels.map(({ level, count }) => `${level} ${grouped(count)}`).join(", ") +
      (column.distinct > column.levels.length ? ", …" : "")
    );
  return `${significant(column.min)} … ${significant(column.max)}, mean ${significant(column.mean)}, sd ${significant(column.sd)}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(", ");
  return names.length > 6 ? `${shown}, …` : shown;
}
