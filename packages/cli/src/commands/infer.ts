/**
 * `ergodic infer GRAPH`: computes the probabilities of a factor graph's variables, its partition function, or its most
 * probable state, with error estimates.
 */
import { writeUaiAnswer } from "@ergodic/ingest/graphs";
import type { Command } from "commander";
import { type Answer, type Evidence, type FactorGraph, infer, type Run, type Tick } from "ergodic";
import { writeWhole } from "ergodic/extend";
import { type InferenceAlgorithm, type InferenceTask, inferenceFromJson, inferenceNames } from "ergodic/graphs";
import { UsageError } from "../errors.ts";
import { readEvidence, readGraph } from "../graphs.ts";
import {
  addKeepingOptions,
  type KeepingOptions,
  keptPlaces,
  refuseFixed,
  type Training,
  toTheEnd,
  type Watch,
} from "../keeping.ts";
import { given } from "../options/given.ts";
import { oneOf, positive, whole } from "../options/number.ts";
import { checkOutputs } from "../outputs.ts";
import { counted, duration, json, significant } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

interface InferWords extends KeepingOptions {
  evidence?: string;
  sample: number;
  format?: string;
  task?: InferenceTask;
  algorithm?: string;
  seconds?: number;
  seed?: number;
  memory?: number;
  workers?: number;
  deterministic?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** Options that the checkpoint contains. */
const fixed = ["task", "algorithm", "seed", "memory", "deterministic"];

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("infer")
    .description("compute the probabilities, the partition function or the most probable state of a factor graph")
    .argument("<GRAPH>", "a file: .uai, .bif, .fg (libDAI) or .json; or a DimmWitted folder");
  addKeepingOptions(
    command
      .option(
        "--evidence <words>",
        "evidence: variable=state,variable=state, or a UAI evidence file; commas in brackets belong to a name",
      )
      .option("--sample <n>", "index of the sample in the evidence file, from 0", whole(0), 0)
      .option(
        "--format <name>",
        "graph format: uai, bif, fg, json or dimmwitted; default: by extension, and dimmwitted for a folder",
      )
      .option(
        "--task <name>",
        "quantity to compute: marginals, partition or map; default marginals",
        oneOf("marginals", "partition", "map"),
      )
      .option(
        "--algorithm <name>",
        `auto, gibbs, or ${inferenceNames()
          .filter((name) => name !== "automatic")
          .join(", ")}; default auto`,
      )
      .option("--seconds <n>", "end after this time with the best answer so far; default 60", positive)
      .option("--seed <n>", "seed for all random choices; default 0", whole(0))
      .option("--memory <GiB>", "memory limit for tables; default 1.5", positive)
      .option("--workers <n>", "number of threads; the answer does not depend on it", whole(1, 1024))
      .option("--deterministic", "refuse algorithms whose answer depends on timing")
      .option("--out <file>", "write the answer to this file, in UAI format")
      .option("--quiet", "hide progress")
      .option("--json", "print the result as one JSON object"),
  );
  command.action((path: string, options: InferWords) => run(path, options, { command, options, fixed, terminal }));
}

async function run(path: string, options: InferWords, training: Training): Promise<void> {
  refuseFixed(training);
  const { command, terminal } = training;
  const { outputs, inputs } = keptPlaces(options);
  if (options.sample > 0 && options.evidence === undefined)
    throw new UsageError("--sample", `${options.sample} was given, but there is no evidence file; add --evidence FILE`);
  const evidenceFile = options.evidence?.includes("=") ? undefined : options.evidence;
  await checkOutputs(command.name(), outputs, [...inputs, { flag: "GRAPH", path }, { flag: "--evidence", path: evidenceFile }]);
  const algorithm = algorithmOf(options.algorithm);
  const graph = await readGraph(path, options.format);
  const evidence = options.evidence === undefined ? undefined : await readEvidence(options.evidence, options.sample, graph);
  const stop = new AbortController();
  const inference = begin(graph, evidence, options, algorithm, stop.signal);
  const answer = await toTheEnd(inference, stop, training, watch(path, graph, options, terminal), async (made) => {
    if (options.out !== undefined) await writeWhole(options.out, () => writeUaiAnswer(made), { keep: true });
  });
  report(path, options, answer, terminal);
}

function algorithmOf(name: string | undefined): InferenceAlgorithm | undefined {
  if (name === undefined || name === "auto") return undefined;
  if (name === "gibbs") return inferenceFromJson({ algorithm: "graphGibbs" });
  if (inferenceNames().includes(name)) return inferenceFromJson({ algorithm: name });
  throw new UsageError("--algorithm", `"${name}" is not known (known: auto, gibbs, ${inferenceNames().join(", ")})`);
}

function begin(
  graph: FactorGraph,
  evidence: Evidence | undefined,
  options: InferWords,
  algorithm: InferenceAlgorithm | undefined,
  signal: AbortSignal,
): Run<Answer> {
  const { task, seconds = 60, seed, memory, workers, deterministic, resume } = options;
  const watched = { signal, until: { seconds }, ...given({ workers, evidence }) };
  if (resume !== undefined) return infer.resume(resume, graph, watched);
  return infer(graph, { ...watched, ...given({ task, algorithm, seed, memory, deterministic }) });
}

function watch(path: string, graph: FactorGraph, options: InferWords, terminal: Terminal): Watch {
  let last: Tick | undefined;
  return {
    begin() {
      if (!options.quiet)
        terminal.note(`${path}: ${counted(graph.variableCount, "variable")}, ${counted(graph.factorCount, "factor")}`);
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

/** "12 s: 1 of 3 parts left · states 2.1e9". */
function line({ seconds, parts, left, ...numbers }: Tick): string {
  const own = Object.entries(numbers).filter(
    ([name, value]) => !["update", "epoch", "updatesPerSecond", "loss"].includes(name) && typeof value === "number" && value > 0,
  );
  const counts = own.map(([name, value]) => `${name} ${significant(value as number, 3)}`);
  return [`${duration(seconds)}: ${String(left)} of ${counted(Number(parts), "part")} left`, ...counts].join(" · ");
}

function report(path: string, options: InferWords, answer: Answer, terminal: Terminal): void {
  const { run } = answer.description as unknown as { run: { seconds: number; reason: string } };
  if (options.json) {
    terminal.out(`${json({ command: "infer", graph: path, ...answer.toJSON(), out: options.out ?? null })}\n`);
    return;
  }
  terminal.out(`${answer}\n`);
  const written = options.out === undefined ? "" : `; written to ${options.out}`;
  terminal.out(terminal.paint.out.dim(`${duration(run.seconds)}: ${run.reason}${written}\n`));
}
