/** `ergodic describe FILE`: describes a saved model and how it was trained, or summarises a data file. */
import { open, stat } from "node:fs/promises";
import { readRows } from "@ergodic/ingest";
import type { Command } from "commander";
import { type FactorPredictor, type LinearPredictor, type NetworkPredictor, predictor, type TreesPredictor } from "ergodic";
import type { RegressionTable } from "ergodic/learning";
import type { AnyPredictor } from "ergodic/predict";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { addFormatOptions, type FormatOptions, formatOptions } from "../options/reading.ts";
import { type CalibrationDescribed, calibrationText } from "../report/calibration.ts";
import {
  algorithmText,
  type Described,
  type FactorsDescribed,
  type NetworkDescribed,
  type PlanJson,
  pathText,
  workersText,
} from "../report/chosen.ts";
import { coefficients, coefficientTable } from "../report/coefficients.ts";
import { layersText, networkCost } from "../report/layers.ts";
import { bytes, counted, grouped, json, percent, short, significant } from "../report/numbers.ts";
import { regressionText } from "../report/regression.ts";
import { pairs, table } from "../report/text-table.ts";
import { type ColumnSummary, type DataSummary, summarise } from "../summary.ts";
import type { Terminal } from "../terminal.ts";

type DescribeOptions = FormatOptions & LimitOptions & { json?: boolean };

const MOST_WEIGHTS = 10;

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("describe")
    .description("describe a model or a data file")
    .argument("<FILE>", "a model file written by train, path or recommend, or a data file");
  addLimitOptions(addFormatOptions(command)).option("--json", "print the result as one JSON object");
  command.action((file: string, options: DescribeOptions) => describe(file, options, terminal));
}

async function describe(file: string, options: DescribeOptions, terminal: Terminal): Promise<void> {
  if (file !== "-" && options.format === undefined && (await isModel(file))) {
    const model = await predictor<AnyPredictor>(file, limitsOf(options));
    const { size } = await stat(file);
    const [summary, text] = ofModel(file, size, model, terminal);
    terminal.out(options.json ? `${json({ command: "describe", kind: "model", ...summary })}\n` : text);
    return;
  }
  const data = summarise(await readRows(file, formatOptions(options)));
  terminal.out(options.json ? `${json({ command: "describe", kind: "data", file, ...data })}\n` : dataText(file, data, terminal));
}

/** Beginnings of models of trees from other libraries, as Latin-1: XGBoost in JSON and UBJSON, and LightGBM. */
const TREES = [/^\s*\{\s*"learner"/, /^\{[iUIlL]\W+learner/, /^tree\r?\nversion=/];
/** First byte of ONNX files, and their possible third bytes. */
const [ONNX, ONNX_FIELDS] = [8, [0x12, 0x3a, 0x42]];

/**
 * Whether the file begins like a model: with a header length and the opening brace of JSON, or as models of trees from
 * other libraries. The reader reports a missing file.
 */
async function isModel(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
    if (bytesRead < 9) return false;
    const start = buffer.toString("latin1", 0, bytesRead);
    const isOwn = buffer[8] === 0x7b && buffer.readBigUint64LE(0) < 100_000_000n;
    const isOnnx = buffer[0] === ONNX && ONNX_FIELDS.includes(buffer[2]);
    return isOwn || isOnnx || TREES.some((one) => one.test(start));
  } catch {
    return false; // A folder; the reader reports it.
  } finally {
    await file.close();
  }
}

function ofModel(file: string, size: number, model: AnyPredictor, terminal: Terminal): [object, string] {
  if (model.kind === "factorisation") return ofFactors(file, size, model, terminal);
  if (model.kind === "trees") return ofTrees(file, size, model, terminal);
  return model.kind === "network" ? ofNetwork(file, size, model, terminal) : ofLinear(file, size, model, terminal);
}

function ofFactors(file: string, size: number, model: FactorPredictor, terminal: Terminal): [object, string] {
  const { users, items, ...description } = model.description;
  const { task, rank, biases, l2, alpha, mean, columns, algorithm, plan } = description as unknown as FactorsDescribed;
  const summary = { file, bytes: size, description, users: model.users.size, items: model.items.size };
  const about: [string, string][] = [
    ["kind", `factorisation, ${task}${alpha === null ? "" : `, alpha ${alpha}`}`],
    ...(columns ? [["columns", Object.values(columns).join(", ")] as [string, string]] : []),
    ["users", grouped(summary.users)],
    ["items", grouped(summary.items)],
    ["rank", `${rank}${biases ? " and biases" : ""}`],
    ["l2", significant(l2)],
    ["mean", significant(mean)],
    ["algorithm", algorithmText(algorithm)],
    ["plan", planText(plan)],
  ];
  const { out: paint } = terminal.paint;
  return [summary, `${paint.bold(file)} ${paint.dim(bytes(size))}\n${pairs(about, paint)}`];
}

function ofTrees(file: string, size: number, model: TreesPredictor, terminal: Terminal): [object, string] {
  const description = model.description as unknown as Described;
  const { treeCount } = model;
  const summary = { file, bytes: size, description, trees: treeCount };
  const { out: paint } = terminal.paint;
  const { task, columns } = description;
  const about: [string, string][] = [
    ["kind", `trees, ${task}`],
    ...wanted(description),
    ["columns", `${grouped(columns.length)}: ${listed(columns)}`],
    ["trees", grouped(treeCount)],
    ...making(description),
  ];
  return [summary, `${paint.bold(file)} ${paint.dim(bytes(size))}\n${pairs(about, paint)}`];
}

function ofLinear(file: string, size: number, model: LinearPredictor, terminal: Terminal): [object, string] {
  const { weights, intercept } = model;
  const description = model.description as unknown as Described;
  const largest = coefficients(model, MOST_WEIGHTS);
  const nonZero = weights.reduce((sum, w) => sum + Number(w !== 0), 0);
  const summary = {
    file,
    bytes: size,
    description,
    weights: { count: weights.length, nonZero, intercept: [...intercept], largest },
    imputed: model.pipeline.imputed,
  };
  const { out: paint } = terminal.paint;
  const { task, columns } = description;
  const about: [string, string][] = [
    ["kind", `linear, ${task}`],
    ...wanted(description),
    ["columns", `${grouped(columns.length)}: ${listed(columns)}`],
    ["weights", `${grouped(weights.length)}, ${percent(nonZero / weights.length)} not zero`],
    ...making(description),
  ];
  const head = `${paint.bold(file)} ${paint.dim(bytes(size))}\n`;
  const { regression } = model.description as { regression?: RegressionTable };
  const numbers = regression
    ? regressionText(regression, paint)
    : coefficientTable("largest weights", largest, MOST_WEIGHTS, paint);
  return [summary, `${head}${pairs(about, paint)}\n${numbers}`];
}

function ofNetwork(file: string, size: number, model: NetworkPredictor, terminal: Terminal): [object, string] {
  // The program is part of the file and is longer than all other fields.
  const { program: _, ...rest } = model.description;
  const description = rest as unknown as NetworkDescribed;
  const { task, rowShape, parameters, model: made } = description;
  const cost = networkCost(made.layers, rowShape);
  const summary = { file, bytes: size, description, cost, imputed: model.pipeline.imputed };
  const about: [string, string][] = [
    ["kind", `network, ${task}`],
    ...wanted(description),
    ["row", rowShape.join(" × ")],
    ["layers", layersText(made.layers)],
    ["parameters", grouped(parameters)],
    ...(cost ? [["multiply-adds", `${short(cost.multiplyAdds)} per row`] as [string, string]] : []),
    ...making(description),
  ];
  const { out: paint } = terminal.paint;
  return [summary, `${paint.bold(file)} ${paint.dim(bytes(size))}\n${pairs(about, paint)}`];
}

/** Formats a row model's target, loss and pipeline as pairs of name and value. */
function wanted({ loss, equation, target, pipeline }: Described): [string, string][] {
  const levels = target.levels ? `, ${counted(target.levels.length, "class", "classes")}: ${listed(target.levels)}` : "";
  return [
    ["target", `${target.name}${levels}`],
    ["loss", `${loss.name}: ${equation}`],
    ["pipeline", pipeline.map(({ kind }) => kind).join(" → ")],
  ];
}

function making({ algorithm, path, plan, calibration }: Described & { calibration?: CalibrationDescribed }): [string, string][] {
  const made = calibration ? calibrationText(calibration) : [];
  if (algorithm) made.push([algorithm.rule ? "rule" : "algorithm", algorithmText(algorithm)]);
  if (path) made.push(["path", pathText(path)]);
  if (plan) made.push(["plan", `${algorithm?.rule ? `batch ${plan.batch}, ${plan.schedule} rows, ` : ""}${planText(plan)}`]);
  return made;
}

/**
 * Formats a run's plan. A saved plan contains the number of workers only if the workers raced on one model. Otherwise,
 * their number has no effect on the result.
 */
function planText({ workers, replicas, precision, seed }: Omit<PlanJson, "workers"> & { workers?: number }): string {
  const averaged = replicas === 1 ? [] : [`${replicas} replicas averaged`];
  const lanes = workers === undefined ? averaged : [workersText({ workers, replicas })];
  return [...lanes, precision.data, `seed ${seed}`].join(", ");
}

function dataText(file: string, data: DataSummary, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const head = `${paint.bold(file)}  ${counted(data.rowCount, "row")}, ${counted(data.columnCount, "column")}`;
  if (data.format === "sparse") {
    const { target } = data;
    const about: [string, string][] = [
      ["filled", `${percent(data.filled)}, ${significant(data.filled * data.columnCount, 3)} per row`],
      ["target", `${rangeText(target)}, ${target.distinct} distinct values`],
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
  return `${head}\n${table(["column", "kind", "missing", "distinct", "values"], rows, { left: [0, 1, 4], paint })}`;
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
