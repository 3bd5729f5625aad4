/**
 * `ergodic check DIR`: posterior predictive checks, which show whether the model generates data like the observed data.
 * `ergodic loo DIR…`: estimates how well a model predicts held-out data. For several models, it reports which one
 * predicts best, with weights.
 */
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { compare, type Draws } from "ergodic";
import type { CompareOptions, Comparison } from "ergodic/bayes";
import type { LooResult } from "ergodic/diagnostics";
import { NotTrusted } from "../errors.ts";
import { addDrawnFrom, type DrawnFrom, oneOfEach, readDrawn, refuseOtherThanDraws } from "../options/drawn-from.ts";
import { given } from "../options/given.ts";
import { oneOf, whole } from "../options/number.ts";
import { json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

const draws = "a folder written by sample, a CSV file in CmdStan's format, or an Arrow file";

interface CheckWords extends DrawnFrom {
  of?: string;
  seed: number;
  strict?: boolean;
  json?: boolean;
}

export function add(program: Command, terminal: Terminal): void {
  addCheck(program, terminal);
  addLoo(program, terminal);
}

function addCheck(program: Command, terminal: Terminal): void {
  const command = program
    .command("check")
    .description("check whether the model generates data like the observed data: p-values of statistics")
    .argument("<DIR>", draws);
  addDrawnFrom(command)
    .option("--of <name>", "name of the observed quantity; default: the only one")
    .option("--seed <n>", "seed for the replicated data", whole(0), 0)
    .option("--strict", "exit with 1 if a statistic is suspect: p below 0.025 or above 0.975")
    .option("--json", "print the result as one JSON object");
  command.action((path: string, options: CheckWords) => check(path, options, terminal));
}

async function check(path: string, { of, seed, strict, json: asJson, ...from }: CheckWords, terminal: Terminal): Promise<void> {
  const found = (await readDrawn(path, from)).check(of, { seed });
  const { statistics, suspect } = found;
  if (asJson) {
    const plain = Object.entries(statistics).map(([name, { replicated: _, ...one }]) => [name, one]);
    terminal.out(`${json({ command: "check", draws: path, statistics: Object.fromEntries(plain), suspect })}\n`);
  } else {
    const verdict =
      suspect.length === 0
        ? "The model generates data like the observed data."
        : `The model does not generate data like the observed data: look at ${suspect.join(", ")}.`;
    terminal.out(`${found}\n${verdict}\n`);
  }
  if (strict && suspect.length > 0) throw new NotTrusted();
}

interface LooWords {
  model?: string[];
  data?: string[];
  of?: string;
  oneStepAhead?: boolean;
  weights?: "stacking" | "pseudoBma";
  seed?: number;
  json?: boolean;
}

function addLoo(program: Command, terminal: Terminal): void {
  const command = program
    .command("loo")
    .description("estimate how well a model predicts each observation from the others, or compare several models")
    .argument("<DIR...>", `for each model, ${draws}`);
  addDrawnFrom(command, true)
    .option("--of <name>", "name of the observed quantity; default: the only one")
    .option("--one-step-ahead", "predict each value from the earlier ones, for values that depend on each other")
    .option("--weights <name>", "weights of several models: stacking (default) or pseudoBma", oneOf("stacking", "pseudoBma"))
    .option("--seed <n>", "seed for the bootstrap of pseudoBma; default 0", whole(0))
    .option("--json", "print the result as one JSON object");
  command.action((paths: string[], options: LooWords) => loo(paths, options, terminal));
}

async function loo(paths: readonly string[], options: LooWords, terminal: Terminal): Promise<void> {
  const { of, oneStepAhead, weights, seed, model: models, data: tables } = options;
  refuseOtherThanDraws(paths, { model: models, data: tables });
  const read: [name: string, draws: Draws][] = [];
  for (const [i, name] of namesOf(paths).entries()) {
    const [model, data] = [oneOfEach("--model", models, paths.length, i), oneOfEach("--data", tables, paths.length, i)];
    read.push([name, await readDrawn(paths[i], { model, data })]);
  }
  if (read.length === 1) {
    const found = read[0][1].loo(of, given({ oneStepAhead }));
    terminal.out(`${options.json ? json({ command: "loo", draws: paths[0], ...plainResult(found) }) : found}\n`);
    return;
  }
  const asked: CompareOptions = given({ of, oneStepAhead, weights, seed });
  const found = compare(Object.fromEntries(read), asked);
  terminal.out(`${options.json ? json({ command: "loo", draws: paths, ...plainComparison(found) }) : found}\n`);
}

/** Names of the folders, or their full paths if two folders have the same name. */
function namesOf(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => basename(resolve(path)));
  return new Set(names).size === names.length ? names : paths;
}

function plainResult({ pointwise, ...result }: LooResult): object {
  return { ...result, pointwise: Object.fromEntries(Object.entries(pointwise).map(([name, values]) => [name, [...values]])) };
}

const plainComparison = ({ models, weights, notes }: Comparison): object => ({ models, weights, notes });
