/**
 * `ergodic path DATA --target COLUMN`: fits a linear model at decreasing penalty strengths, with cross-validation. The
 * chosen model is tested and saved. The run can be interrupted, checkpointed and resumed (keeping.ts).
 */
import type { Command } from "commander";
import { type EngineDescription, fit, linear, openEngine } from "ergodic";
import type { LinearPath } from "ergodic/learning";
import { cut, dataPlaces, offerText, type Parts, readTraining, refuseTwice, type TrainingData } from "../data.ts";
import { keptPlaces, refuseFixed, type Training, toTheEnd, type Watch } from "../keeping.ts";
import { addPathOptions, defaultFolds, fitPathOptions, fixedByPathCheckpoint, type PathOptions } from "../options/path.ts";
import { impliedClasses, lossOf, modelOptions } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { chosenLine, type Described } from "../report/chosen.ts";
import { coefficientTable, nonZeroCoefficients } from "../report/coefficients.ts";
import { CountedProgress } from "../report/counted-progress.ts";
import { metricsText, positiveClass } from "../report/metrics.ts";
import { counted, duration, grouped, json, significant } from "../report/numbers.ts";
import { pathPicture, pathReport, pathTable } from "../report/path.ts";
import type { Terminal } from "../terminal.ts";
import { dataLine, remarkLines } from "./train.ts";

const MOST_COEFFICIENTS = 20;

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("path")
    .description("fit a linear model at a sequence of penalty strengths, and choose one")
    .argument("<DATA>", "a file, a folder of images, or - for standard input");
  addPathOptions(command).action((path: string, options: PathOptions) =>
    fitPath(path, options, { command, options, fixed: fixedByPathCheckpoint, terminal }),
  );
}

async function fitPath(file: string, options: PathOptions, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal } = training;
  const kept = { ...training, implied: impliedClasses(options) };
  const settings = { model: modelOptions(options), path: fitPathOptions(options) };
  const loss = lossOf(options);
  refuseTwice(options, "path");
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("path", outputs, [...inputs, ...(await dataPlaces(file, options))]);
  const read = await readTraining(file, options, loss, "path");
  const parts = await cut(read.data, options, "path");
  const engine = (await openEngine()).describe();
  if (!options.quiet) terminal.note(dataLine(file, parts, read));
  for (const line of remarkLines(file, options, read, parts)) terminal.note(line);
  const stop = new AbortController();
  const { signal } = stop;
  const run =
    options.resume === undefined
      ? fit.path(linear(settings.model), parts.train, { folds: defaultFolds(parts.train.rowCount), ...settings.path, signal })
      : fit.path.resume(options.resume, parts.train, { workers: options.workers, signal });
  const path = await toTheEnd(run, stop, kept, watch(options, engine, terminal), async (made) => {
    if (options.out !== undefined) await made.predictor().save(options.out);
  });
  const { plan } = (await run.chosen) as unknown as Described;
  const result = { file, options, read, parts, path, plan };
  terminal.out(options.json ? `${json(jsonOf(result, engine))}\n` : textOf(result, terminal));
}

function watch({ quiet }: PathOptions, engine: EngineDescription, terminal: Terminal): Watch {
  let progress: CountedProgress | undefined;
  return {
    begin(given) {
      if (quiet) return;
      const chosen = given as Described;
      const { lambdas } = chosen.path!;
      progress = new CountedProgress(terminal, typeof lambdas === "number" ? lambdas : lambdas.length, pathReport);
      terminal.note(chosenLine(chosen, engine));
    },
    tick: (tick) => progress?.tick(tick),
    end: () => progress?.end(),
  };
}

interface Result {
  file: string;
  options: PathOptions;
  read: TrainingData;
  parts: Parts;
  path: LinearPath;
  /** The run's plan. It includes the number of workers, which is not stored in any file. */
  plan: Described["plan"];
}

/** Criterion by which λ was chosen. */
function chosenBy({ crossValidation: cv }: LinearPath, { select }: Described["path"] & object): string {
  return cv ? select : "last";
}

function jsonOf({ file, options, parts, path, plan }: Result, engine: EngineDescription): object {
  const { lambdas, gaps, violations, nonZeros, explained, crossValidation: cv, chosen } = path;
  const model = path.predictor();
  const { model: made, loss, task, target, path: settings } = model.description as unknown as Described;
  const { ticks: _, ...run } = path.run;
  return {
    command: "path",
    data: file,
    rows: { train: parts.train.rowCount, test: parts.test?.rowCount ?? 0 },
    columnCount: parts.train.columnCount,
    settings: { model: made, loss, task, target, path: settings, plan },
    engine,
    run,
    lambdas: [...lambdas],
    gaps: [...gaps],
    violations: [...violations],
    nonZeros: [...nonZeros],
    explained: [...explained],
    cv: cv
      ? {
          folds: cv.folds,
          mean: [...cv.mean],
          standardError: [...cv.standardError],
          minimum: cv.minimum,
          oneStandardError: cv.oneStandardError,
        }
      : null,
    chosen: { index: chosen, lambda: lambdas[chosen], by: chosenBy(path, settings!) },
    intercept: [...model.intercept],
    coefficients: nonZeroCoefficients(model),
    test: parts.test ? model.evaluate(parts.test) : null,
    positive: positiveClass(model),
    out: options.out ?? null,
  };
}

const reasons: Readonly<Record<string, string>> = {
  minimum: "the one with the least CV error",
  oneStandardError: "the largest within one standard error of the least CV error",
  last: "the last",
};

function textOf({ options, read, parts, path }: Result, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const { lambdas, nonZeros, crossValidation: cv, chosen } = path;
  const model = path.predictor();
  const { path: settings, pipeline } = model.description as unknown as Described;
  const head = `${grouped(lambdas.length)} λ in ${duration(path.run.seconds)}\n${pathTable(path, paint)}`;
  const plot = cv ? `${paint.bold("CV error, from the largest λ to the least")}\n${pathPicture(cv)}` : "";
  const choice = `${paint.bold(`chosen: λ ${significant(lambdas[chosen])}`)}, ${reasons[chosenBy(path, settings!)]}; ${counted(nonZeros[chosen], "coefficient")} of ${grouped(model.weights.length)} not zero\n`;
  const standardised = pipeline.some(({ kind }) => kind === "standardise");
  const title = standardised ? "coefficients of standardised columns" : "coefficients";
  const weights = coefficientTable(title, nonZeroCoefficients(model), MOST_COEFFICIENTS, paint);
  const test = parts.test
    ? `${paint.bold(`test, ${counted(parts.test.rowCount, "row")}`)}\n${metricsText(model.evaluate(parts.test), paint, positiveClass(model))}`
    : "";
  return `${head}${plot}${choice}${weights}${test}${offerText(read)}${options.out === undefined ? "" : `saved to ${options.out}\n`}`;
}
