/**
 * Checkpointing and resuming of runs, for every command that trains.
 *
 * Ctrl-C (or SIGTERM, or closing the terminal) writes a checkpoint and prints how to resume; a second signal ends the
 * process immediately. With --checkpoint, the run is checkpointed at regular intervals and once more at its end, so
 * that it can be extended.
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
    .option("--checkpoint <file>", "save checkpoints of the run to this file")
    .option("--checkpoint-every <seconds>", "time between checkpoints", notNegative, 30)
    .option("--resume <file>", "resume a run from its checkpoint");
}

/**
 * Options of each command in the order and form in which the user typed them. The typed form cannot be recovered from
 * the parsed values.
 */
const typed = new WeakMap<Command, [option: Option, value: string | undefined][]>();

/** Records the options of a command while they are parsed, for `resumeCommand`. */
export function noteTyped(command: Command): void {
  const words: [Option, string | undefined][] = [];
  typed.set(command, words);
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value?: string | null) => words.push([option, value ?? undefined]));
}

/** Lists the files that a run writes and the checkpoint from which it can resume. */
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

/** A running command. */
export interface Training {
  command: Command;
  options: KeepingOptions;
  /**
   * Options that a checkpoint contains. Such options are refused with --resume and omitted from the printed resume
   * command.
   */
  fixed: readonly string[];
  /** Words that the resume command needs in place of the omitted options, such as a target that --from named. */
  implied?: readonly string[];
  terminal: Terminal;
}

export function refuseFixed({ command, options, fixed }: Training): void {
  if (options.resume === undefined) return;
  const given = givenOf(command, fixed);
  if (given)
    throw new UsageError(
      command.name(),
      `${given.long} was given, but --resume continues the run with its original options; leave ${given.long} out`,
    );
}

/** Refuses options that were given although they do not apply. */
export function refuseGiven(command: Command, names: readonly string[], problem: string): void {
  const given = givenOf(command, names);
  if (given) throw new UsageError(given.long!, problem);
}

const givenOf = (command: Command, names: readonly string[]): Option | undefined =>
  typed.get(command)?.find(([option]) => names.includes(option.attributeName()))?.[0];

/** Display of a run. */
export interface Watch {
  begin(chosen: unknown): void;
  tick(tick: Tick): void;
  /** Also called if the run fails. */
  end(): void;
}

/** Follows a run to its end and saves its result. `stop` can end it. */
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
      // If a checkpoint cannot be written, the run fails now rather than at its end.
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

/**
 * Runs all parts in turn, even if one of them fails. All failures are reported, because their messages say where
 * results were saved.
 */
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
      const message = `interrupted; the run is saved in ${checkpoint}; resume it with: ${resumeCommand(checkpoint, training)}`;
      stop.abort(new ErgodicError(command.name(), message, "INTERRUPTED"));
    };
    run.checkpoint(checkpoint).then(kept, (error) => stop.abort(error));
  });
}

/**
 * Returns the default path of the checkpoint. It is next to the output if the output is a file or folder, and in the
 * current folder otherwise.
 */
function defaultCheckpoint(out: string | undefined): string {
  const found = out === undefined ? undefined : statSync(out, { throwIfNoEntry: false });
  if (out === undefined || (found && !found.isFile() && !found.isDirectory())) return "ergodic.checkpoint";
  return `${out.replace(/\.safetensors$/, "")}.checkpoint`;
}

/** Returns the words of one option as typed, or of all options except `without`. */
export function typedWords(command: Command, only?: string, without: readonly string[] = []): string[] {
  return (typed.get(command) ?? [])
    .filter(([option]) => (only ?? option.attributeName()) === option.attributeName())
    .filter(([option]) => !without.includes(option.attributeName()))
    .flatMap(([{ long }, value]) => (value === undefined ? [long!] : [long!, value]));
}

/** Quotes a command for a shell. */
export function commandText(program: string, verb: string, operands: readonly string[], words: readonly string[]): string {
  const ordered = operands.some((word) => /^-./.test(word)) ? [...words, "--", ...operands] : [...operands, ...words];
  return [program, verb, ...ordered.map(quoted)].join(" ");
}

/** The command as typed, without the options that the checkpoint contains. */
export function resumeCommand(
  checkpoint: string,
  { command, fixed, implied = [], terminal }: Pick<Training, "command" | "fixed" | "implied" | "terminal">,
): string {
  const words = typedWords(command, undefined, ["resume", ...fixed]);
  return commandText(terminal.program, command.name(), command.args, [...words, ...implied, "--resume", checkpoint]);
}
