/** `ergodic learn GRAPH`: learns the weights of a graph's factors from the evidence in it. */
import { writeGraphJson } from "@ergodic/ingest/graphs";
import type { Command } from "commander";
import { type FactorGraph, fit, type Tick } from "ergodic";
import { writeWhole } from "ergodic/extend";
import { type GraphLearner, type LearnedGraph, learnerFromJson, learnerNames } from "ergodic/graphs";
import { UsageError } from "../errors.ts";
import { readGraph } from "../graphs.ts";
import {
  addKeepingOptions,
  type KeepingOptions,
  keptPlaces,
  refuseFixed,
  type Training,
  toTheEnd,
  type Watch,
} from "../keeping.ts";
import { collected } from "../options/collected.ts";
import { given } from "../options/given.ts";
import { notNegative, positive, share, whole, wordOr } from "../options/number.ts";
import { checkOutputs } from "../outputs.ts";
import { findingsText } from "../report/findings.ts";
import { counted, duration, json, significant } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

interface LearnWords extends KeepingOptions {
  format?: string;
  algorithm?: string;
  epochs?: number;
  seconds?: number;
  l1?: number;
  l2?: number;
  unpenalised?: string[];
  heldOut?: number;
  seed?: number;
  workers?: number;
  replicas?: "shared" | number;
  averageEvery?: number;
  deterministic?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** Options that the checkpoint contains. */
const fixed = ["algorithm", "l1", "l2", "unpenalised", "heldOut", "seed", "replicas", "averageEvery", "deterministic"];
/** Largest number of weights that are printed. */
const MOST_LINES = 20;

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("learn")
    .description("learn the weights of a factor graph from the evidence in it")
    .argument("<GRAPH>", "a .json file with weights and evidence, or a DimmWitted folder");
  addKeepingOptions(
    command
      .option(
        "--format <name>",
        "graph format: uai, bif, fg, json or dimmwitted; default: by extension, and dimmwitted for a folder",
      )
      .option("--algorithm <name>", `${learnerNames().join(", ")}; default ${learnerNames()[0]}`)
      .option("--epochs <n>", "number of updates, one per sweep; default 500", positive)
      .option("--seconds <n>", "end after this time", positive)
      .option("--l1 <strength>", "strength of the penalty l1 times the sum of |w|; default 0", notNegative)
      .option("--l2 <strength>", "strength of the penalty l2/2 times the sum of w squared; default 0", notNegative)
      .option("--unpenalised <name>", "name of a weight without a penalty; can be given several times", collected)
      .option("--held-out <share>", "share of the evidence to hold out; default 0", share)
      .option("--seed <n>", "seed for all random choices; default 0", whole(0))
      .option("--workers <n>", "number of threads; the result does not depend on it unless they race", whole(1, 1024))
      .option(
        "--replicas <n>",
        "shared: workers race on one weight vector; n: this many copies are averaged",
        wordOr("shared", 65536),
      )
      .option("--average-every <epochs>", "epochs between averages of the replicas; default 1", positive)
      .option("--deterministic", "produce the same bytes on every machine")
      .option("--out <file>", "write the graph with its learnt weights to this file, as JSON")
      .option("--quiet", "hide progress")
      .option("--json", "print the result as one JSON object"),
  );
  command.action((path: string, options: LearnWords) => run(path, options, { command, options, fixed, terminal }));
}

async function run(path: string, options: LearnWords, training: Training): Promise<void> {
  refuseFixed(training);
  const { command, terminal } = training;
  const { outputs, inputs } = keptPlaces(options);
  await checkOutputs(command.name(), outputs, [...inputs, { flag: "GRAPH", path }]);
  const algorithm = learnerOf(options.algorithm);
  const graph = await readGraph(path, options.format);
  const stop = new AbortController();
  const { epochs, seconds, l1, l2, unpenalised, heldOut, seed, workers, resume, replicas, averageEvery, deterministic } = options;
  const exempt = unpenalised?.map((name) => weightOf(graph, name));
  const until = seconds === undefined ? undefined : given({ epochs, seconds });
  const watched = { signal: stop.signal, ...given({ epochs: until ? undefined : epochs, until, workers }) };
  const learning =
    resume === undefined
      ? fit(graph, {
          ...watched,
          ...given({ algorithm, l1, l2, unpenalised: exempt, heldOut, seed, replicas, averageEvery, deterministic }),
        })
      : fit.resume(resume, graph, watched);
  const learned = await toTheEnd(learning, stop, training, watch(path, graph, options, terminal), async (made) => {
    if (options.out !== undefined) await writeWhole(options.out, () => writeGraphJson(made.graph), { keep: true });
  });
  report(path, options, learned, terminal);
}

/** Name of a weight in the output: its own name, or its index if it has none. */
const nameOf = (graph: FactorGraph, id: number): string => graph.weightState(id).name ?? String(id);

/** Returns the index of the weight with this name in the output, or else the name as it is. */
function weightOf(graph: FactorGraph, name: string): string | number {
  for (let id = 0; id < graph.weightCount; id++) if (nameOf(graph, id) === name) return id;
  return name;
}

function learnerOf(name: string | undefined): GraphLearner | undefined {
  if (name === undefined) return undefined;
  if (learnerNames().includes(name)) return learnerFromJson({ algorithm: name });
  throw new UsageError("--algorithm", `"${name}" is not known (known: ${learnerNames().join(", ")})`);
}

function watch(path: string, graph: FactorGraph, options: LearnWords, terminal: Terminal): Watch {
  let last: Tick | undefined;
  const line = ({ seconds, update, loss }: Tick): string =>
    `${duration(seconds)}: ${counted(update, "update")} · loss ${significant(loss, 4)} per variable`;
  return {
    begin() {
      if (!options.quiet)
        terminal.note(`${path}: ${counted(graph.variableCount, "variable")}, ${counted(graph.weightCount, "weight")}`);
    },
    tick(tick) {
      last = tick;
      if (!options.quiet && terminal.live) terminal.rewrite(line(tick));
    },
    end() {
      if (options.quiet) return;
      if (terminal.live) terminal.rewrite("");
      else if (last) terminal.note(line(last));
    },
  };
}

function report(
  path: string,
  options: LearnWords,
  { graph, weights, heldOut, run, findings }: LearnedGraph,
  terminal: Terminal,
): void {
  const named = Array.from(weights, (value, id) => ({ name: nameOf(graph, id), value }));
  if (options.json) {
    const { seconds, reason, updates } = run;
    const found = {
      command: "learn",
      graph: path,
      weights: named,
      heldOut: heldOut.length,
      findings,
      run: { seconds, reason, updates },
    };
    terminal.out(`${json({ ...found, out: options.out ?? null })}\n`);
    return;
  }
  const widest = [...named].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, MOST_LINES);
  const width = widest.reduce((most, { name }) => Math.max(most, name.length), 0);
  for (const { name, value } of widest) terminal.out(`${name.padEnd(width)}  ${value.toFixed(4)}\n`);
  if (named.length > MOST_LINES) terminal.out(`… ${counted(named.length - MOST_LINES, "more weight")}\n`);
  terminal.out(findingsText(findings, terminal.paint.out));
  const written = options.out === undefined ? "" : `; written to ${options.out}`;
  terminal.out(terminal.paint.out.dim(`${duration(run.seconds)}: ${run.reason}${written}\n`));
}
