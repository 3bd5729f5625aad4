/**
 * `ergodic train DATA --target COLUMN`: trains a model, tests it, saves it.
 *
 * Ctrl-C (or SIGTERM) keeps the run in a checkpoint and says how to go on; a second one ends at once. With --checkpoint the run is kept
 * every so many seconds, and once more at its end, so that it can be made longer.
 */
import type { Command } from "commander";
import { type Dataset, type EngineDescription, ErgodicError, type Fitted, fit, linear, openEngine, type Run } from "ergodic";
import { cut, type Parts, readTraining } from "../data.ts";
import { UsageError } from "../errors.ts";
import {
  addTrainingOptions,
  fitOptions,
  fixedByCheckpoint,
  lossOf,
  modelOptions,
  type TrainOptions,
  watchOptions,
} from "../options/training.ts";
import { chosenLine, type Described } from "../report/chosen.ts";
import { confusionText, metricsText } from "../report/metrics.ts";
import { counted, decimal, duration, grouped, json, short } from "../report/numbers.ts";
import { Progress } from "../report/progress.ts";
import { quoted, type Terminal } from "../terminal.ts";

export function addTrain(program: Command, terminal: Terminal): void {
  const command = program
    .command("train")
    .description("train a model on a file")
    .argument("<DATA>", "a file, or - for standard input");
  addTrainingOptions(command).action((path: string, options: TrainOptions) => train(path, options, command, terminal));
}

async function train(path: string, options: TrainOptions, command: Command, terminal: Terminal): Promise<void> {
  refuseFixed(options, command);
  const settings = options.resume === undefined ? { model: modelOptions(options), fit: fitOptions(options) } : undefined;
  const { data, guessed } = await readTraining(path, options, lossOf(options));
  const parts = await cut(data, options);
  const engine = (await openEngine()).describe();
  const say = options.quiet ? () => {} : (line: string) => terminal.note(line);
  say(dataLine(path, parts) + (guessed ? guess(data) : ""));
  const stop = new AbortController();
  const watch = { ...(parts.validate ? { validate: parts.validate } : {}), signal: stop.signal };
  const run = settings
    ? fit(linear(settings.model), parts.train, { ...settings.fit, ...watch })
    : fit.resume(options.resume!, parts.train, { ...watchOptions(options), ...watch });
  const end = interruptible({
    run,
    stop,
    options,
    terminal,
    hint: (checkpoint) => resumeCommand(path, checkpoint, command, terminal),
  });
  try {
    const fitted = await watched(run, options, engine, terminal);
    if (options.checkpoint !== undefined) await run.checkpoint(options.checkpoint);
    if (options.out !== undefined) await fitted.save(options.out);
    report({ path, options, parts, fitted, engine, terminal });
  } finally {
    end();
  }
}

function refuseFixed({ resume }: TrainOptions, command: Command): void {
  if (resume === undefined) return;
  const given = command.options.find(
    (o) =>
      (fixedByCheckpoint as readonly string[]).includes(o.attributeName()) &&
      command.getOptionValueSource(o.attributeName()) === "cli",
  );
  if (given)
    throw new UsageError("train", `${given.long} was given, but --resume goes on as the run began; leave ${given.long} out`);
}

function dataLine(path: string, { train, validate, test }: Parts): string {
  const held = [
    validate ? `${grouped(validate.rowCount)} to validate` : "",
    test ? `${grouped(test.rowCount)} to test` : "",
  ].filter(Boolean);
  const sparse = train.format === "sparse" ? ", sparse" : "";
  return `${path}: ${counted(train.rowCount, "row")} to train on${held.map((part) => `, ${part}`).join("")}; ${counted(train.columnCount, "column")}${sparse}; target ${train.target.name}`;
}

function guess({ target }: Dataset): string {
  return ` (${target.levels!.length} whole numbers, taken as classes; --no-classes takes them as numbers)`;
}

/** Shows ticks, and keeps the run from time to time, until it is done. */
async function watched(run: Run<Fitted>, options: TrainOptions, engine: EngineDescription, terminal: Terminal): Promise<Fitted> {
  const { epochs, updates, seconds, checkpoint, quiet } = options;
  const limited = epochs !== undefined || updates !== undefined || seconds !== undefined || options.tolerance !== undefined;
  let keptAt = performance.now();
  let keeping: Promise<void> | undefined;
  let progress: Progress | undefined;
  try {
    const chosen = (await run.chosen) as unknown as Described;
    // On full gradients the default is another, and some rules end before it.
    const usual = chosen.plan?.batch === "all" ? {} : { epochs: 5 };
    progress = new Progress(terminal, limited || options.resume !== undefined ? { epochs, updates, seconds } : usual);
    if (!quiet) terminal.note(chosenLine(chosen, engine));
    for await (const tick of run) {
      if (!quiet) progress.tick(tick);
      if (checkpoint === undefined || keeping || performance.now() - keptAt < 1000 * options.checkpointEvery) continue;
      keeping = run.checkpoint(checkpoint).finally(() => {
        keeping = undefined;
        keptAt = performance.now();
      });
      // A checkpoint that cannot be written ends the run, now rather than at its end.
      keeping.catch(() => {});
      await keeping;
    }
    return await run;
  } finally {
    if (!quiet) progress?.end();
  }
}

interface Interruptible {
  run: Run<Fitted>;
  stop: AbortController;
  options: TrainOptions;
  terminal: Terminal;
  hint(checkpoint: string): string;
}

function interruptible({ run, stop, options, terminal, hint }: Interruptible): () => void {
  return terminal.onInterrupt(() => {
    const checkpoint = options.checkpoint ?? defaultCheckpoint(options.out);
    const kept = (): void => {
      const message = `interrupted; the run so far is kept in ${checkpoint}, go on with: ${hint(checkpoint)}`;
      stop.abort(new ErgodicError("train", message, "INTERRUPTED"));
    };
    run.checkpoint(checkpoint).then(kept, (error) => stop.abort(error));
  });
}

export function defaultCheckpoint(out: string | undefined): string {
  return out === undefined ? "ergodic.checkpoint" : `${out.replace(/\.safetensors$/, "")}.checkpoint`;
}

/** The same command, less what the checkpoint brings. */
function resumeCommand(path: string, checkpoint: string, command: Command, terminal: Terminal): string {
  const words = [terminal.program, "train", quoted(path)];
  for (const option of command.options) {
    const name = option.attributeName();
    if (
      command.getOptionValueSource(name) !== "cli" ||
      name === "resume" ||
      (fixedByCheckpoint as readonly string[]).includes(name)
    )
      continue;
    const value: unknown = command.opts()[name];
    if (value === !option.negate) words.push(option.long!);
    else if (typeof value !== "boolean") words.push(option.long!, quoted(String(value)));
  }
  return [...words, "--resume", quoted(checkpoint)].join(" ");
}

interface Result {
  path: string;
  options: TrainOptions;
  parts: Parts;
  fitted: Fitted;
  engine: EngineDescription;
  terminal: Terminal;
}

function report(result: Result): void {
  const { options, parts, fitted, engine, terminal } = result;
  const { ticks, ...run } = fitted.run;
  const metrics = parts.test ? fitted.evaluate(parts.test) : null;
  const description = fitted.description as unknown as Described;
  if (options.json) {
    const rows = { train: parts.train.rowCount, validate: parts.validate?.rowCount ?? 0, test: parts.test?.rowCount ?? 0 };
    const { loss, task, target, algorithm, plan, model } = description;
    const chosen = { model, loss, task, target, algorithm, plan };
    const columnCount = parts.train.columnCount;
    terminal.out(
      `${json({ command: "train", data: result.path, rows, columnCount, chosen, engine, run, ticks, test: metrics, out: options.out ?? null })}\n`,
    );
    return;
  }
  const { out: paint } = terminal.paint;
  const speed = short(run.updates / Math.max(1e-9, run.seconds));
  const validated = ticks.findLast((tick) => tick.validation)?.validation;
  terminal.out(
    `${counted(run.updates, "update")} in ${duration(run.seconds)} (${speed} updates/s), ${decimalEpochs(run.epochs)}: ${run.reason}\n`,
  );
  terminal.out(`mean loss of the last epoch ${decimal(run.loss)}${validated ? `, validation ${decimal(validated.loss)}` : ""}\n`);
  if (metrics) {
    terminal.out(`${paint.bold(`test, ${grouped(parts.test!.rowCount)} rows`)}\n${metricsText(metrics, paint)}`);
    if (fitted.classes?.length === 2) terminal.out(confusionText(metrics.confusion!, fitted.classes, paint));
  }
  if (options.out !== undefined) terminal.out(`saved to ${options.out}\n`);
}

function decimalEpochs(epochs: number): string {
  return epochs === 1 ? "1 epoch" : `${Number(epochs.toFixed(2))} epochs`;
}
