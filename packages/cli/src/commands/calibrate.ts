/**
 * `ergodic calibrate MODEL DATA --out FILE`: writes a copy of a saved model with calibrated probabilities (--method),
 * prediction sets or intervals (--alpha), or both. DATA must be rows that the model was not trained on. If both are
 * requested, DATA is split into two parts. Sets must not be computed from the rows to which the probabilities were
 * fitted.
 */
import type { Command } from "commander";
import { type Dataset, predictor } from "ergodic";
import { calibrated, conformal, type RowPredictor } from "ergodic/calibration";
import type { AnyPredictor } from "ergodic/predict";
import { readHeldOut } from "../data.ts";
import { UsageError } from "../errors.ts";
import { given } from "../options/given.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { oneOf, share, whole } from "../options/number.ts";
import { addFormatOptions, type FormatOptions } from "../options/reading.ts";
import { labelsText } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { type CalibrationDescribed, calibrationText } from "../report/calibration.ts";
import { counted, json } from "../report/numbers.ts";
import { pairs } from "../report/text-table.ts";
import type { Terminal } from "../terminal.ts";

interface CalibrateOptions extends FormatOptions, LimitOptions {
  out: string;
  method?: "temperature" | "isotonic";
  alpha?: number;
  score?: "lac" | "aps" | "absolute" | "scaled";
  share?: number;
  seed: number;
  json?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("calibrate")
    .description("calibrate the probabilities of a saved model, or add prediction sets or intervals, using held-out rows")
    .argument("<MODEL>", "a model file written by train or path")
    .argument("<DATA>", "rows that the model was not trained on: a file, a folder of images, or - for standard input")
    .requiredOption("--out <file>", "write the calibrated model to this file");
  addLimitOptions(addFormatOptions(command))
    .option("--method <name>", "calibration method for probabilities: temperature or isotonic", oneOf("temperature", "isotonic"))
    .option("--alpha <share>", "add prediction sets or intervals that miss the truth for this share of rows", share)
    .option(
      "--score <name>",
      "score for sets: lac (default) or aps; for intervals: absolute or scaled",
      oneOf("lac", "aps", "absolute", "scaled"),
    )
    .option(
      "--share <share>",
      "with --method and --alpha: share of the rows for --method, the others are for --alpha (default: 0.5)",
      share,
    )
    .option("--seed <n>", "seed for the split and for randomised prediction sets", whole(0), 0)
    .option("--labels <file>", labelsText)
    .option("--json", "print the result as one JSON object");
  command.action((file: string, data: string, options: CalibrateOptions) => calibrate(file, data, options, terminal));
}

async function calibrate(file: string, data: string, options: CalibrateOptions, terminal: Terminal): Promise<void> {
  const { method, alpha, out } = options;
  checkGiven(options);
  const inputs = [
    { flag: "MODEL", path: file },
    { flag: "DATA", path: data },
    { flag: "--labels", path: options.labels },
  ];
  await checkOutputs("calibrate", [{ flag: "--out", path: out }], inputs);
  const model = await predictor<AnyPredictor>(file, limitsOf(options));
  if (model.kind === "factorisation")
    throw new UsageError(
      "calibrate",
      `${file} predicts ratings, which are neither classes nor independent; give a model written by train`,
    );
  using rows = await readHeldOut(data, model.pipeline, options);
  const both = method !== undefined && alpha !== undefined;
  const { train, test } = both ? cut(rows, options) : { train: rows, test: rows };
  const honest: RowPredictor = method === undefined ? model : await calibrated(model, train, { method });
  const { score, seed } = options;
  const made = alpha === undefined ? honest : await conformal(honest, test, { alpha, seed, ...given({ score }) });
  await made.save(out);
  const calibration = made.description.calibration as unknown as CalibrationDescribed;
  if (options.json) {
    terminal.out(`${json({ command: "calibrate", model: file, data, rows: rows.rowCount, out, calibration })}\n`);
    return;
  }
  const { out: paint } = terminal.paint;
  const head = `${made.targetName}, ${counted(rows.rowCount, "row")} of ${data}`;
  terminal.out(`${paint.bold(head)}\n${pairs(calibrationText(calibration), paint)}`);
  terminal.note(`calibrated model written to ${out}`);
}

function checkGiven({ method, alpha, score, share: part }: CalibrateOptions): void {
  const refuse = (problem: string): never => {
    throw new UsageError("calibrate", problem);
  };
  if (method === undefined && alpha === undefined) refuse("there is nothing to do; give --method, --alpha or both");
  if (alpha === undefined && score !== undefined) refuse("--score applies to sets and intervals; give --alpha, too");
  if ((method === undefined || alpha === undefined) && part !== undefined)
    refuse("--share divides the rows between --method and --alpha; give both, or leave --share out");
}

/** Splits the rows at random, stratified by class. */
function cut(rows: Dataset, { share: part = 0.5, seed }: CalibrateOptions): { train: Dataset; test: Dataset } {
  return rows.split(part, { seed, stratify: rows.target.kind === "category" });
}
