/**
 * `ergodic train DATA --target COLUMN`: trains a model, tests it and saves it. The run can be interrupted, checkpointed
 * and resumed (keeping.ts).
 */
import type { Command } from "commander";
import { type Dataset, type EngineDescription, ErgodicError, fit, type LinearPredictor, openEngine, type Run } from "ergodic";
import { type CrossValidated, type RegressionTable, regressionTable } from "ergodic/learning";
import { addJudgingOptions, checkFolds, crossValidated, type FoldColumn, foldColumn, foldsText } from "../cross-validation.ts";
import {
  cut,
  dataPlaces,
  offerText,
  type Parts,
  readTraining,
  refuseTwice,
  type SplitOptions,
  type TrainingData,
  takenText,
} from "../data.ts";
import { keptPlaces, refuseFixed, type Training, toTheEnd, type Watch } from "../keeping.ts";
import { beginningOf } from "../options/beginning.ts";
import { type AnyFitted, fitModel, modelMaker } from "../options/model.ts";
import { blamingFile } from "../options/module-file.ts";
import { isNetworkFile, layersOfFile, networkFile } from "../options/network-file.ts";
import {
  addTrainingOptions,
  fitOptions,
  fixedByCheckpoint,
  impliedClasses,
  lossOf,
  type TrainOptions,
  watchOptions,
  withStandardErrors,
} from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { chosenLine, type Described, workersLine } from "../report/chosen.ts";
import { findingsText } from "../report/findings.ts";
import { confusionText, metricsText, positiveClass, validationWarning } from "../report/metrics.ts";
import { counted, decimal, duration, grouped, json, short, small } from "../report/numbers.ts";
import { Progress } from "../report/progress.ts";
import { regressionText } from "../report/regression.ts";
import { told } from "../report/remarks.ts";
import { lossScale } from "../report/scale.ts";
import type { Terminal } from "../terminal.ts";

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("train")
    .description("train a model on a file")
    .argument("<DATA>", "a file, a folder of images, or - for standard input");
  addJudgingOptions(addTrainingOptions(command)).action((path: string, options: TrainOptions) =>
    blamingFile(networkFile(options), () => train(path, options, { command, options, fixed: fixedBy(options), terminal })),
  );
}

/** A checkpoint contains the network, but not layer kinds defined in a file, so such a file must be named again. */
function fixedBy({ model = "" }: TrainOptions): readonly string[] {
  return isNetworkFile(model) ? fixedByCheckpoint.filter((name) => name !== "model") : fixedByCheckpoint;
}

/** Words that a resumed run needs, because options that are omitted determined how the rows are read. */
function impliedWords(typed: TrainOptions, options: TrainOptions, folds: FoldColumn | undefined): string[] {
  const { group, time, drop } = typed;
  const name = group ?? time;
  // A comma in a name would separate two columns.
  const dropped = name?.includes(",") ? String(folds!.position) : name;
  return [
    ...(typed.target === undefined && options.target !== undefined ? ["--target", options.target] : []),
    ...(dropped === undefined ? [] : ["--drop", drop === undefined ? dropped : `${drop},${dropped}`]),
    ...impliedClasses(options),
  ];
}

async function train(path: string, typed: TrainOptions, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal, command } = training;
  checkFolds(path, typed);
  const asked = withStandardErrors(typed);
  if (asked.resume !== undefined && isNetworkFile(asked.model ?? "")) await layersOfFile(asked.model!);
  const begun = await beginningOf(path, asked, command);
  const options = begun ? { ...asked, target: asked.target ?? begun.target } : asked;
  const settings =
    options.resume === undefined
      ? { model: begun?.model ?? (await modelMaker(options))(options), fit: fitOptions(options) }
      : undefined;
  const loss = lossOf(options);
  refuseTwice(options);
  const validates = options.validate !== undefined || options.validateShare !== undefined;
  if (settings) await fit.check(settings.fit, { validates });
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("train", outputs, [
    ...inputs,
    ...(await dataPlaces(path, options)),
    { flag: "--model", path: networkFile(options) },
    { flag: "--from", path: options.from },
  ]);
  const read = await readTraining(path, options, loss);
  const parts = await cut(read.data, options);
  const engine = (await openEngine()).describe();
  if (!options.quiet) terminal.note(dataLine(path, parts, read));
  for (const line of remarkLines(path, options, read, parts)) terminal.note(line);
  const folds = await foldColumn(path, typed);
  const kept = { ...training, implied: impliedWords(typed, options, folds) };
  const stop = new AbortController();
  const given = { ...(parts.validate ? { validate: parts.validate } : {}), signal: stop.signal };
  const cv =
    options.folds === undefined
      ? undefined
      : await interruptible(terminal, stop, () => {
          const { signal, ...held } = given;
          const fold = { ...settings!.fit, ...held };
          return crossValidated(settings!.model(parts.train), parts.train, folds?.values, options, fold, signal, terminal);
        });
  const run: Run<AnyFitted> = settings
    ? fitModel(settings.model(parts.train), parts.train, { ...settings.fit, ...given })
    : fit.resume(options.resume!, parts.train, { ...watchOptions(options), ...given });
  const fitted = await toTheEnd(run, stop, kept, watch(options, engine, terminal), async (made) => {
    // Stored in the file, so that `describe` finds it.
    if (options.standardErrors)
      Object.assign(made.description, { regression: regressionTable(made as unknown as LinearPredictor, parts.train) });
    if (options.out !== undefined) await made.save(options.out);
  });
  const { plan, why } = (await run.chosen) as unknown as Described;
  report({ path, options, read, parts, cv, fitted, plan, why, engine, terminal });
}

/** Ends immediately when interrupted, because there is nothing to checkpoint yet. */
async function interruptible<T>(terminal: Terminal, stop: AbortController, work: () => Promise<T>): Promise<T> {
  const takeBack = terminal.onInterrupt(() =>
    stop.abort(new ErgodicError("train", "interrupted before all folds were tested", "INTERRUPTED")),
  );
  try {
    return await work();
  } finally {
    takeBack();
  }
}

export function dataLine(path: string, { train, validate, test }: Parts, read: TrainingData): string {
  const held = [
    validate ? `${grouped(validate.rowCount)} to validate` : "",
    test ? `${grouped(test.rowCount)} to test` : "",
  ].filter(Boolean);
  const sparse = train.format === "sparse" ? ", sparse" : "";
  const taken = read.taken ? ` (${takenText(read)})` : "";
  const shape = train.rowShape ? ` (${train.rowShape.join(" × ")})` : "";
  return `${path}: ${counted(train.rowCount, "row")} to train on${held.map((part) => `, ${part}`).join("")}; ${counted(train.columnCount, "column")}${shape}${sparse}; target ${train.target.name}${taken}`;
}

/** Remarks about the rows of each file. They are not progress, so --quiet does not hide them. */
export function remarkLines(path: string, { test, validate }: SplitOptions, { data }: TrainingData, parts: Parts): string[] {
  const of = (name: string | undefined, rows: Dataset | undefined): string[] =>
    name === undefined ? [] : told(rows?.remarks ?? []).map(({ message }) => `${name}: ${message}`);
  return [...of(path, data), ...of(test, parts.test), ...of(validate, parts.validate)];
}

function watch(options: TrainOptions, engine: EngineDescription, terminal: Terminal): Watch {
  const { epochs, updates, seconds, tolerance, resume } = options;
  const limited = [epochs, updates, seconds, tolerance, resume].some((value) => value !== undefined);
  let progress: Progress | undefined;
  return {
    begin(given) {
      if (options.quiet) return;
      const chosen = given as Described;
      const certified = chosen.algorithm?.rule === undefined;
      // With full gradients, the default differs, and some algorithms end earlier.
      const usual = chosen.plan?.batch === "all" || certified ? {} : { epochs: 5 };
      progress = new Progress(terminal, limited ? { epochs, updates, seconds } : usual, {
        certified,
        scale: lossScale(chosen.loss, chosen.task),
      });
      for (const line of [chosenLine(chosen, engine), ...workersLine(chosen, options.workers)]) terminal.note(line);
    },
    tick: (tick) => progress?.tick(tick),
    end: () => progress?.end(),
  };
}

interface Result {
  path: string;
  options: TrainOptions;
  read: TrainingData;
  parts: Parts;
  cv: CrossValidated | undefined;
  fitted: AnyFitted;
  /** The run's plan. It includes the number of workers, which is not stored in any file. */
  plan: Described["plan"];
  /** Reason why this algorithm and strength were chosen, if the user did not specify both. */
  why: Described["why"];
  engine: EngineDescription;
  terminal: Terminal;
}

function report(result: Result): void {
  const { options, parts, cv, fitted, plan, why, engine, terminal } = result;
  const { ticks, ...run } = fitted.run;
  const metrics = parts.test ? fitted.evaluate(parts.test) : null;
  const positive = positiveClass(fitted);
  const description = fitted.description as unknown as Described & { regression?: RegressionTable };
  const { regression } = description;
  if (options.json) {
    const rows = { train: parts.train.rowCount, validate: parts.validate?.rowCount ?? 0, test: parts.test?.rowCount ?? 0 };
    const { loss, task, target, algorithm, model } = description;
    const chosen = {
      model,
      loss,
      task,
      target,
      algorithm,
      plan,
      ...(why === undefined ? {} : { why }),
    };
    const columnCount = parts.train.columnCount;
    terminal.out(
      `${json({ command: "train", data: result.path, rows, columnCount, chosen, engine, run, ticks, ...(regression ? { regression } : {}), ...(cv ? { cv } : {}), test: metrics, positive, remarks: told(result.read.data.remarks), out: options.out ?? null })}\n`,
    );
    return;
  }
  const { out: paint } = terminal.paint;
  if (cv) terminal.out(foldsText(cv, positive, paint));
  const speed = short(run.updates / Math.max(1e-9, run.seconds));
  const validated = ticks.findLast((tick) => tick.validation)?.validation;
  terminal.out(
    `${counted(run.updates, "update")} in ${duration(run.seconds)} (${speed} updates/s), ${decimalEpochs(run.epochs)}: ${run.reason}\n`,
  );
  const scale = lossScale(description.loss, description.task);
  const name = scale.loss === "loss" ? "mean loss" : scale.loss;
  const held = validated ? `, ${scale.validation} ${decimal(validated.loss)}` : "";
  terminal.out(`${name} of the last epoch ${decimal(scale.of(run.loss))}${held}\n`);
  terminal.out(findingsText(run.findings, paint));
  if (validated) terminal.out(validationWarning(validated, paint));
  terminal.out(certificate(run.report));
  if (regression) terminal.out(regressionText(regression, paint));
  if (metrics) {
    terminal.out(`${paint.bold(`test, ${counted(parts.test!.rowCount, "row")}`)}\n${metricsText(metrics, paint, positive)}`);
    if (fitted.classes?.length === 2) terminal.out(confusionText(metrics.confusion!, fitted.classes, paint));
  }
  terminal.out(offerText(result.read));
  if (options.out !== undefined) terminal.out(`saved to ${options.out}\n`);
}

/** Distance from the minimum, if the algorithm reports it. */
function certificate({ gap = Number.NaN, violation = Number.NaN }: AnyFitted["run"]["report"]): string {
  if (!Number.isNaN(gap)) return `relative duality gap ${small(gap)}, certified\n`;
  return Number.isNaN(violation) ? "" : `largest violation of the optimality conditions ${small(violation)}\n`;
}

function decimalEpochs(epochs: number): string {
  return epochs === 1 ? "1 epoch" : `${Number(epochs.toFixed(2))} epochs`;
}
