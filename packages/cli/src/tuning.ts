/** Shared parts of tuning rows and ratings: the search options, the output, and the command that uses the result. */
import type { Command } from "commander";
import { type SearchAlgorithm, searchFromJson, searchRegistry, type Tuned } from "ergodic/search";
import { UsageError } from "./errors.ts";
import { commandText, typedWords, type Watch } from "./keeping.ts";
import { given } from "./options/given.ts";
import { readable } from "./options/over.ts";
import { parseSpec } from "./options/spec.ts";
import type { TrainOptions } from "./options/training.ts";
import { CountedProgress } from "./report/counted-progress.ts";
import { counted, decimal, duration, grouped, percent, significant } from "./report/numbers.ts";
import { trialTable, tuneReport } from "./report/tune.ts";
import type { Paint, Terminal } from "./terminal.ts";

export interface TuneCommandOptions extends TrainOptions {
  /** Columns of ratings. */
  user?: string;
  item?: string;
  over?: string;
  trials?: number;
  search?: string;
  /** False for --no-halving. */
  halving?: number | false;
  concurrency?: number;
}

export const VALIDATE_SHARE = 0.2;

/** Converts the command line's search options to the options of `tune`. */
export function searchOptions({ trials, search, halving, concurrency }: TuneCommandOptions, signal: AbortSignal) {
  const how = given({ trials, concurrency, signal });
  const algorithm = search === undefined ? undefined : parseSearch(search);
  return { how, begun: given({ algorithm, halving: typeof halving === "number" ? { eta: halving } : halving }) };
}

function parseSearch(text: string): SearchAlgorithm {
  const { name, options } = parseSpec("--search", text);
  const known = Object.keys(searchRegistry);
  if (!known.includes(name)) throw new UsageError("--search", `"${name}" is not known (known: ${known.join(", ")})`);
  return searchFromJson({ search: name, options: options as Record<string, number> });
}

export function watch({ quiet }: TuneCommandOptions, terminal: Terminal): Watch {
  let progress: CountedProgress | undefined;
  return {
    begin(chosen) {
      if (quiet) return;
      const { search, until, halving } = chosen as {
        search: { algorithm: { search: string }; seed: number };
        until: { trials: number };
        halving: { eta: number } | null;
      };
      progress = new CountedProgress(terminal, until.trials, tuneReport);
      const stops = halving ? `halving ${halving.eta}` : "no halving";
      terminal.note(`${search.algorithm.search} · ${counted(until.trials, "trial")} · ${stops} · seed ${search.seed}`);
    },
    tick: (tick) => progress?.tick(tick),
    end: () => progress?.end(),
  };
}

/** Returns the search and its result as JSON. */
export function tunedJson(tuned: Tuned): object {
  const { settings, value, best, trials, finished, stopped, failed, epochs, epochsSaved, reason, algorithm, run } = tuned;
  return {
    algorithm,
    best: { trial: best.number, settings: readable(settings), value },
    trials: trials.map((trial) => ({ ...trial, settings: readable(trial.settings), rung: trial.rung ?? null })),
    ...{ finished, stopped, failed, epochs, epochsSaved, reason, seconds: run.seconds },
  };
}

/** Reason reported when a search runs to completion. */
const ALL_MADE = "all evaluations made";

/**
 * Returns the search and its result as text: the progress of the search, its trials, the best settings, and the command
 * that uses these settings.
 */
export function tunedText(tuned: Tuned, command: string, paint: Paint): string {
  const { trials, stopped, failed, epochs, epochsSaved, reason, run, settings, value, best } = tuned;
  const fell = [stopped > 0 ? `${grouped(stopped)} stopped early` : "", failed > 0 ? `${grouped(failed)} failed` : ""].filter(
    Boolean,
  );
  const spared = epochsSaved > 0 ? `, ${percent(epochsSaved / (epochs + epochsSaved))} saved` : "";
  const early = reason === ALL_MADE ? "" : `; no more trials: ${reason}`;
  const head = `${counted(trials.length, "trial")} in ${duration(run.seconds)}${fell.map((part) => `, ${part}`).join("")}; ${significant(epochs)} epochs${spared}${early}\n`;
  const words = Object.entries(readable(settings)).map(([name, setting]) => `${name} ${setting}`);
  const choice = `${paint.bold(`best: ${words.join(", ")}`)}, validation loss ${decimal(value)} (trial ${best.number + 1})\ntrain with them: ${command}\n`;
  return `${head}${trialTable(tuned, paint)}${choice}`;
}

/** Options of `tune` that the command with the best settings does not need. */
export const ofSearch: readonly string[] = [
  "over",
  "trials",
  "search",
  "halving",
  "concurrency",
  "checkpoint",
  "checkpointEvery",
  "resume",
  "json",
  "quiet",
];

/**
 * Returns the command that trains with the best settings. Options appear as the user typed them, except those that the
 * search changed.
 */
export function trainCommand(chosen: TuneCommandOptions, command: Command, options: TuneCommandOptions, verb = "train"): string {
  const words: string[] = [];
  const names = new Set(command.options.map((option) => option.attributeName() as keyof TuneCommandOptions));
  for (const name of names) {
    const value: unknown = chosen[name];
    if (value === undefined || ofSearch.includes(name)) continue;
    const flag = command.options.find((option) => option.attributeName() === name)!.long!;
    words.push(...(value === options[name] ? typedWords(command, name) : [flag, String(value)]));
  }
  return commandText("ergodic", verb, command.args, words);
}
