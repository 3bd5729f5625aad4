/**
 * `ergodic tune DATA --target COLUMN --over rate:log:1e-4..1,…`: trains with many settings and reports the best
 * settings on held-out rows.
 *
 * Each trial runs like `train` with these options. With --out or test rows, a final model is then trained with the best
 * settings on all rows except the test rows. With --patience, the final model is trained for as many epochs as the best
 * trial took to reach its smallest loss. The run can be interrupted (after the current trial), checkpointed and resumed
 * (keeping.ts). With
 * --user and --item, it tunes `recommend` (tune-ratings.ts).
 */
import type { Command } from "commander";
import { fit, tune } from "ergodic";
import type { Tuned } from "ergodic/search";
import { cut, dataPlaces, offerText, type Parts, readTraining, refuseTwice, type TrainingData } from "../data.ts";
import { UsageError } from "../errors.ts";
import { keptPlaces, refuseFixed, refuseGiven, type Training, toTheEnd } from "../keeping.ts";
import { type AnyFitted, fitModel, type ModelMaker, modelMaker } from "../options/model.ts";
import { blamingFile } from "../options/module-file.ts";
import { networkFile } from "../options/network-file.ts";
import { atLeastTwo, whole } from "../options/number.ts";
import { parseOver, withSettings } from "../options/over.ts";
import { addTrainingOptions, fitOptions, lossOf } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { metricsText, positiveClass } from "../report/metrics.ts";
import { counted, grouped, json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";
import { searchOptions, type TuneCommandOptions, trainCommand, tunedJson, tunedText, VALIDATE_SHARE, watch } from "../tuning.ts";
import { dataLine, remarkLines } from "./train.ts";
import { addTunedRatings, ofRatings, tuneRatings } from "./tune-ratings.ts";

/** Options that a checkpoint contains. */
const fixed: readonly (keyof TuneCommandOptions)[] = ["over", "search", "halving"];

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("tune")
    .description("search for the settings with the lowest loss on held-out rows")
    .argument("<DATA>", "a file, a folder of images, or - for standard input");
  addTrainingOptions(command)
    .optionsGroup("Search:")
    .option(
      "--over <ranges>",
      "ranges of rate, l1, l2, batch, epochs or options of the rule: rate:log:1e-4..1,l2:log:1e-6..1e-1,batch:int:1..256",
    )
    .option("--trials <n>", "number of trials; default 30", whole(1))
    .option(
      "--search <name>",
      "randomSearch, cmaEs, nelderMead …; default: cmaEs for 20 or more trials per setting, else randomSearch",
    )
    .option("--halving <n>", "stop a trial early unless its loss is among the best 1/n at the same epoch; default 3", atLeastTwo)
    .option("--no-halving", "run every trial to its end")
    .option("--concurrency <n>", "number of simultaneous trials, which share the available threads", whole(1));
  addTunedRatings(command).action((path: string, options: TuneCommandOptions) => {
    const training: Training = { command, options, fixed, terminal };
    const { l2 } = options;
    if (options.user !== undefined || options.item !== undefined) {
      if (l2 !== "auto") return tuneRatings(path, { ...options, l2 }, training);
      throw new UsageError("--l2", "auto applies only to linear models; give a number, or search for one: --over l2:log:1e-3..1");
    }
    return blamingFile(networkFile(options), () => tuneOn(path, options, training));
  });
}

async function tuneOn(file: string, options: TuneCommandOptions, training: Training): Promise<void> {
  refuseFixed(training);
  const { terminal, command } = training;
  refuseGiven(command, ofRatings, "applies only to ratings; give --user and --item, or leave it out");
  const make = await modelMaker(options);
  refuseTwice(options, "tune");
  const begin = await beginning(options, make);
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs("tune", outputs, [
    ...inputs,
    ...(await dataPlaces(file, options)),
    { flag: "--model", path: networkFile(options) },
  ]);
  const read = await readTraining(file, options, lossOf(options), "tune");
  const { data } = read;
  const heldOut = options.validate === undefined ? { validateShare: options.validateShare ?? VALIDATE_SHARE } : {};
  const parts = await cut(data, { ...options, ...heldOut }, "tune");
  if (!options.quiet) terminal.note(dataLine(file, parts, read));
  for (const line of remarkLines(file, options, read, parts)) terminal.note(line);
  const stop = new AbortController();
  const run = begin(parts, stop.signal);
  const tuned = await toTheEnd(run, stop, training, watch(options, terminal), async () => {});
  const chosen = withSettings(forTheRest(options, tuned), tuned.settings);
  const result = { file, options, read, parts, tuned, command: trainCommand(chosen, command, options) };
  const final = await trainFinal(chosen, make, parts, data);
  if (options.out !== undefined) await final!.fitted.save(options.out);
  terminal.out(options.json ? `${json(jsonOf(result, final))}\n` : textOf(result, final, terminal));
}

/** Checks all options before the file is read, and returns a function that starts the search. */
async function beginning(
  options: TuneCommandOptions,
  makeModel: ModelMaker,
): Promise<(parts: Parts, signal: AbortSignal) => ReturnType<typeof tune<string, never>>> {
  const { over: text, resume, seed, patience } = options;
  if (text === undefined && resume === undefined)
    throw new UsageError(
      "tune",
      "--over is missing; name the settings to search, e.g. --over rate:log:1e-4..1,l2:log:1e-6..1e-1",
    );
  const over = text === undefined ? undefined : parseOver(text, options);
  searchOptions(options, new AbortController().signal);
  const trial = (settings: Record<string, number>) => {
    const chosen = withSettings(options, settings);
    return { model: makeModel(chosen), options: fitOptions(chosen) };
  };
  const tried = trial(over ? Object.fromEntries(Object.entries(over).map(([name, { high }]) => [name, high])) : {});
  await fit.check(tried.options, { validates: true });
  return ({ train, validate }, signal) => {
    const make = (settings: Record<string, number>, context: { signal: AbortSignal }) => {
      const made = trial(settings);
      return fitModel(made.model(train), train, { ...made.options, validate, signal: context.signal });
    };
    const { how, begun } = searchOptions(options, signal);
    if (resume !== undefined) return tune.resume(resume, make, how);
    return tune(make, {
      over: over!,
      ...how,
      ...begun,
      value: patience === undefined ? "last" : "best",
      seed,
    });
  };
}

/**
 * Options for training on all rows. Without held-out rows, patience cannot be used, so the best trial determines the
 * number of epochs.
 */
function forTheRest(options: TuneCommandOptions, { best }: Tuned): TuneCommandOptions {
  const { validate: _, validateShare: __, validateEvery: ___, patience, ...others } = options;
  if (patience === undefined) return others;
  const [first, ...rest] = best.losses;
  const least = rest.reduce((low, measured) => (measured.loss < low.loss ? measured : low), first);
  return { ...others, epochs: least.epoch };
}

interface Final {
  fitted: AnyFitted;
  parts: Parts;
}

async function trainFinal(
  chosen: TuneCommandOptions,
  make: ModelMaker,
  tuned: Parts,
  data: Parts["train"],
): Promise<Final | undefined> {
  if (chosen.out === undefined && !tuned.test) return undefined;
  // The test rows are the same as before, because they are split off first.
  const parts = await cut(data, chosen, "tune");
  return { fitted: await fitModel(make(chosen)(parts.train), parts.train, fitOptions(chosen)), parts };
}

interface Result {
  file: string;
  options: TuneCommandOptions;
  read: TrainingData;
  parts: Parts;
  tuned: Tuned;
  command: string;
}

function jsonOf({ file, options, parts, tuned, command }: Result, final: Final | undefined): object {
  return {
    command: "tune",
    data: file,
    rows: { train: parts.train.rowCount, validate: parts.validate!.rowCount, test: parts.test?.rowCount ?? 0 },
    columnCount: parts.train.columnCount,
    ...tunedJson(tuned),
    train: command,
    test: final?.parts.test ? final.fitted.evaluate(final.parts.test) : null,
    positive: final ? positiveClass(final.fitted) : null,
    out: options.out ?? null,
  };
}

function textOf({ options, read, tuned, command }: Result, final: Final | undefined, terminal: Terminal): string {
  const { out: paint } = terminal.paint;
  const test = final?.parts.test
    ? `${paint.bold(`test, ${counted(final.parts.test.rowCount, "row")}`)}, trained on ${grouped(final.parts.train.rowCount)}\n${metricsText(final.fitted.evaluate(final.parts.test), paint, positiveClass(final.fitted))}`
    : "";
  const saved =
    options.out === undefined ? "" : `trained on ${counted(final!.parts.train.rowCount, "row")}, saved to ${options.out}\n`;
  return `${tunedText(tuned, command, paint)}${test}${offerText(read)}${saved}`;
}
