/**
 * Runs that can be kept and gone on with, for every command that trains.
 *
 * Ctrl-C (or SIGTERM, or a terminal that is closed) keeps the run in a checkpoint and says how to go on; a second one ends at
 * once. With --checkpoint the run is kept every so many seconds, and once more at its end, so that it can be made longer.
 */
import { statSync } from "node:fs";
import type { Command, Option } from "commander";
import { ErgodicError, type Run, type Tick } from "ergodic";
import { reportError, UsageError } from "./errors.ts";
import { notNegative } from "./options/number.ts";
import type { Place } from "./outputs.ts";
import { quoted, type Terminal } from "./terminal.ts";

export interface KeepingOptions {
  out?: string;
  checkpoint?: string;
  checkpointEvery: number;
  resume?: string;
}

export function addKeepingOptions(command: Command): Command {
  return command
    .option("--checkpoint <file>", "keep the run here, so that it can go on")
    .option("--checkpoint-every <seconds>", "how often", notNegative, 30)
    .option("--resume <file>", "go on from a checkpoint");
}

/** By command, its options as they were typed, in order. Their parsed values cannot be typed again. */
const typed = new WeakMap<Command, [option: Option, value: string | undefined][]>();

/** Notes the options of a command as they are parsed, for `resumeCommand`. */
export function noteTyped(command: Command): void {
  const words: [Option, string | undefined][] = [];
  typed.set(command, words);
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value?: string | null) => words.push([option, value ?? undefined]));
}

/** What a run writes, and what it may go on from. */
export function keptPlaces({ out, checkpoint, resume }: KeepingOptions): { outputs: Place[]; inputs: Place[] } {
  const resumed = { flag: "--resume", path: resume };
  return {
    outputs: [
      { flag: "--out", path: out },
      { flag: "--checkpoint", path: checkpoint, continues: resumed.flag },
    ],
    inputs: [resumed],
  };
}

/** A command at work. */
export interface Training {
  command: Command;
  options: KeepingOptions;
  /** Options that a checkpoint brings: refused beside --resume, left out of the line that says how to go on. */
  fixed: readonly string[];
  terminal: Terminal;
}

export function refuseFixed({ command, options, fixed }: Training): void {
  if (options.resume === undefined) return;
  const given = command.options.find(
    (o) => fixed.includes(o.attributeName()) && command.getOptionValueSource(o.attributeName()) === "cli",
  );
  if (given)
    throw new UsageError(
      command.name(),
      `${given.long} was given, but --resume goes on as the run began; leave ${given.long} out`,
    );
}

/** What is shown of a run. */
export interface Watch {
  begin(chosen: unknown): void;
  tick(tick: Tick): void;
  /** Also where the run fails. */
  end(): void;
}

/** Follows a run to its end, and saves what it made. `stop`: what ends it. */
export async function toTheEnd<R>(
  run: Run<R>,
  stop: AbortController,
  training: Training,
  watch: Watch,
  save: (result: R) => Promise<void>,
): Promise<R> {
  const { checkpoint, checkpointEvery } = training.options;
  const takeBack = keepOnInterrupt(run, stop, training);
  let keptAt = performance.now();
  try {
    watch.begin(await run.chosen);
    for await (const tick of run) {
      watch.tick(tick);
      if (checkpoint === undefined || performance.now() - keptAt < 1000 * checkpointEvery) continue;
      // A checkpoint that cannot be written ends the run, now rather than at its end.
      await run.checkpoint(checkpoint);
      keptAt = performance.now();
    }
    const result = await run;
    await everyOne([() => save(result), async () => checkpoint !== undefined && run.checkpoint(checkpoint)], training.terminal);
    return result;
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    watch.end();
    takeBack();
  }
}

/** Each is tried, whether or not another fails, and every failure is told: it says where things are kept. */
async function everyOne(parts: readonly (() => Promise<unknown>)[], terminal: Terminal): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) await part().catch((error: unknown) => failures.push(error));
  const last = failures.pop();
  for (const failure of failures) reportError(failure, terminal);
  if (last !== undefined) throw last;
}

function keepOnInterrupt(run: Run<unknown>, stop: AbortController, training: Training): () => void {
  const { command, options, terminal } = training;
  return terminal.onInterrupt(() => {
    const checkpoint = options.checkpoint ?? defaultCheckpoint(options.out);
    const kept = (): void => {
      const message = `interrupted; the run so far is kept in ${checkpoint}, go on with: ${resumeCommand(checkpoint, training)}`;
      stop.abort(new ErgodicError(command.name(), message, "INTERRUPTED"));
    };
    run.checkpoint(checkpoint).then(kept, (error) => stop.abort(error));
  });
}

/** Next to the output, unless that is a device or its like. */
function defaultCheckpoint(out: string | undefined): string {
  const found = out === undefined ? undefined : statSync(out, { throwIfNoEntry: false });
  if (out === undefined || (found && !found.isFile() && !found.isDirectory())) return "ergodic.checkpoint";
  return `${out.replace(/\.safetensors$/, "")}.checkpoint`;
}

/** The same command as it was typed, without the options that the checkpoint brings. */
export function resumeCommand(
  checkpoint: string,
  { command, fixed, terminal }: Pick<Training, "command" | "fixed" | "terminal">,
): string {
  const words = (typed.get(command) ?? [])
    .filter(([option]) => option.attributeName() !== "resume" && !fixed.includes(option.attributeName()))
    .flatMap(([{ long }, value]) => (value === undefined ? [long!] : [long!, value]));
  words.push("--resume", checkpoint);
  const operands = command.args;
  const ordered = operands.some((word) => /^-./.test(word)) ? [...words, "--", ...operands] : [...operands, ...words];
  return [terminal.program, command.name(), ...ordered.map(quoted)].join(" ");
}
