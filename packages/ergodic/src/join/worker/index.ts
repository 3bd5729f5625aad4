/** `ergodic/worker`: the verbs, executed on a worker thread that the library starts. */

import type { calibrate } from "../../bayes/calibrate.ts";
import type { Draws, DrawsContent } from "../../bayes/draws/index.ts";
import type { FoundMode, Mode } from "../../bayes/mode/found-mode.ts";
import type { ModeOptions } from "../../bayes/mode/mode-options.ts";
import type { ConditionedModel, ModelData, StatisticalModel } from "../../bayes/model/index.ts";
import type { Drawn } from "../../bayes/named-draws.ts";
import type { SampleOptions, sample } from "../../bayes/sample.ts";
import type { ChainDraws } from "../../bayes/samplers/index.ts";
import type { Conditionals, FactorTables, JsonObject } from "../../engine/contract/index.ts";
import { checkSignal, holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { readWhole } from "../../engine/files/files.ts";
import { trainedBy } from "../../engine/loop/later-run.ts";
import { later } from "../../engine/threads/later.ts";
import type { Answer as Inference } from "../../graphs/answers/index.ts";
import type { InferOptions, infer } from "../../graphs/infer/infer.ts";
import type { Inferred } from "../../graphs/infer/tables-of.ts";
import type { GraphFitOptions } from "../../graphs/learn/graph.ts";
import type { LearnedGraph } from "../../graphs/learn/learned-graph.ts";
import type { FactorGraph } from "../../graphs/model/graph.ts";
import type { Trained } from "../../learning/fit/launch.ts";
import type { PathParts } from "../../learning/fit/linear-path.ts";
import { trained } from "../../learning/fit/trained.ts";
import { predictor } from "../../predict/load.ts";
import type { minimize } from "../../search/minimize/minimize.ts";
import type { tune } from "../../search/tune.ts";
import type { FitVerb } from "../fit.ts";
import { Connection } from "./connection.ts";
import { Exported, encode, TAG } from "./encode.ts";
import type { Sent, VerbName } from "./messages.ts";
import type { RemoteRun } from "./remote-run.ts";

export type { RemoteRun } from "./remote-run.ts";

/** Options of `worker`. */
export interface WorkerOptions {
  /**
   * Address of a module, relative to the page or, in Node, to the working folder. `exported("name")` refers to its
   * exports, such as functions to minimise or your own models. The thread also knows, by name, all rules, losses,
   * layers and distributions that the module defines.
   */
  readonly module?: string | URL;
  /**
   * Address of the thread's program. Needed with bundlers that do not process `new Worker(new URL(…))` (esbuild,
   * Rollup): build `ergodic/worker/serve` as a separate entry and pass its address here.
   */
  readonly script?: string | URL;
}

/** The verbs of `ergodic`, executed on a worker thread, with the same arguments and results. */
export interface WorkerVerbs extends Disposable {
  /** `fit`, on the worker's thread. `fit.stream` is missing because its blocks cannot be sent. */
  readonly fit: FitVerb;
  /** `sample`, on the worker's thread. */
  readonly sample: typeof sample;
  /** `minimize`, on the worker's thread. */
  readonly minimize: typeof minimize;
  /** `tune`, on the worker's thread. */
  readonly tune: typeof tune;
  /** `calibrate`, on the worker's thread. */
  readonly calibrate: typeof calibrate;
  /** `infer`, on the worker's thread. */
  readonly infer: typeof infer;
  /**
   * Placeholder for the export `name` of the module that was passed as `worker({ module })`. The placeholder can
   * replace any argument.
   */
  exported<T = never>(name: string): T;
  /** Ends the thread. Runs in progress are rejected. */
  dispose(): void;
}

/**
 * Starts a thread and returns the verbs of `ergodic`, which run on that thread. The page stays responsive during long
 * computations.
 *
 * Statistical models are traced and compiled on the calling side, and draws get their names there. Data are copied to
 * the thread once. Functions cannot be sent; `module` tells the thread where to find them.
 *
 * @throws OptionError [WORKER_ARGUMENT] for arguments that cannot be sent; WorkerError if the thread cannot be started
 * or ends
 *
 * @example
 * ```ts
 * const { fit, sample } = worker();
 * const fitted = await fit(linear({ loss: "logistic" }), data, { epochs: 20 });
 * for await (const tick of sample(schools, { y, sigma })) progress(tick);
 * ```
 */
export function worker(options: WorkerOptions = {}): WorkerVerbs {
  checkKeys("worker", options, ["module", "script"]);
  return new Client(options);
}

class Client extends Connection implements WorkerVerbs {
  readonly fit = Object.assign(
    (model: unknown, data: unknown, options: object = {}) => {
      if (isGraph(model)) return this.beginLearning("fit", [], model, (data ?? {}) as GraphFitOptions);
      if (isStatistical(model)) return this.beginMode(model, data as ModelData, options);
      return this.begin("fit", [model, data], options);
    },
    {
      resume: (from: unknown, data: unknown, options: object = {}) =>
        isGraph(data) ? this.beginLearning("fit.resume", [from], data, options) : this.begin("fit.resume", [from, data], options),
      stream: Object.assign(refuseStream, { resume: refuseStream }),
      check: async (...given: Parameters<FitVerb["check"]>) => (await import("../fit.ts")).fit.check(...given),
      path: Object.assign(
        (model: unknown, data: unknown, options: object = {}) => this.begin("fit.path", [model, data], options),
        {
          resume: (from: unknown, data: unknown, options: object = {}) => this.begin("fit.path.resume", [from, data], options),
        },
      ),
    },
  ) as unknown as FitVerb;

  readonly sample = Object.assign(
    (model: unknown, data: unknown, options: object = {}) => this.beginSampling("sample", [], model, data, options),
    {
      resume: (from: unknown, model: unknown, data: unknown, options: object = {}) =>
        this.beginSampling("sample.resume", [from], model, data, options),
    },
  ) as unknown as typeof sample;

  readonly minimize = Object.assign((...args: unknown[]) => this.begin("minimize", ...withOptions(args)), {
    resume: (...args: unknown[]) => this.begin("minimize.resume", ...withOptions(args)),
  }) as unknown as typeof minimize;

  readonly tune = Object.assign((...args: unknown[]) => this.begin("tune", ...withOptions(args)), {
    resume: (...args: unknown[]) => this.begin("tune.resume", ...withOptions(args)),
  }) as unknown as typeof tune;

  readonly calibrate = ((model: unknown, data: unknown, options: object = {}) => {
    if (!(model instanceof Exported))
      throw new OptionError(
        "worker",
        'calibrate simulates data and conditions the model on them in the worker; export the model from a module, and give worker({ module }) and exported("name")',
        "WORKER_ARGUMENT",
      );
    return this.begin("calibrate", [model, data], options);
  }) as unknown as typeof calibrate;

  readonly infer = Object.assign(
    (graph: Inferred, options: InferOptions = {}) => this.beginInference("infer", [], graph, options),
    {
      resume: (from: unknown, graph: Inferred, options: InferOptions = {}) =>
        this.beginInference("infer.resume", [from], graph, options),
    },
  ) as unknown as typeof infer;

  exported<T>(name: string): T {
    return new Exported(name) as T;
  }

  private begin<R>(verb: VerbName, args: readonly unknown[], given: { signal?: AbortSignal }): RemoteRun<R> {
    checkOptions(verb, given);
    const { signal, ...options } = given;
    const sent = this.encoded(() =>
      [...args, options].map((value, i) => encode(value, i < args.length ? `argument ${i + 1}` : "options", this)),
    );
    return this.launch(
      verb,
      async () => {
        if (verb.endsWith(".resume")) return [(await this.kept(args[0])).sent, ...sent.slice(1)];
        return verb === "fit" ? [...sent.slice(0, -1), await withFile(sent.at(-1) as object)] : sent;
      },
      (result) => finished(result) as Promise<R>,
      signal,
    );
  }

  /** Conditions the model on the calling side and sends the resulting density. */
  private beginSampling(
    verb: VerbName,
    before: readonly unknown[],
    model: unknown,
    data: unknown,
    given: SampleOptions,
  ): RemoteRun<Draws> {
    checkOptions(verb, given);
    const { signal, ...options } = given;
    if (!isStatistical(model) && !isConditioned(model)) return this.begin(verb, [...before, model, data], { signal, ...options });
    if (options.rows !== undefined)
      throw new OptionError(
        "worker",
        'rows is given, but a model with row batches cannot be sent to a worker; export it from a module, and give worker({ module }) and exported("name")',
        "WORKER_ARGUMENT",
      );
    const { start, chains = 4, deterministic = false, ...rest } = options;
    const others = { ...rest, ...(verb === "sample" ? { chains, deterministic } : {}) };
    const encoded = this.encoded(() => encode(others, "options", this) as object);
    let density: ConditionedModel;
    const read = async (): Promise<unknown[]> => {
      const { portableOf, startOf } = await later(() => import("./densities.ts"));
      density = isConditioned(model) ? model : await model.condition(data as ModelData, { deterministic });
      const started = start === undefined ? {} : { start: startOf(density, start, chains, options.seed ?? 0) };
      const sent = { [TAG]: "density", portable: portableOf(density) };
      const kept = await Promise.all(before.map((from) => this.kept(from)));
      return [...kept.map((one) => one.sent), sent, {}, { ...encoded, ...started }];
    };
    return this.launch(
      verb,
      read,
      async ({ from }) => {
        const { ChainDraws: Raw, drawsOf } = await later(() => import("./densities.ts"));
        const { raw, ...left } = from as Omit<Drawn, "raw"> & { raw: ConstructorParameters<typeof ChainDraws> };
        return drawsOf(density, { ...left, raw: new Raw(...raw) });
      },
      signal,
    );
  }

  /**
   * Searches for a mode on the thread, using the model's density. The values at the mode are computed on the calling
   * side.
   */
  private beginMode(model: StatisticalModel, data: ModelData, options: ModeOptions): RemoteRun<Mode> {
    checkOptions("fit", options);
    const { signal, start, ...rest } = options;
    const encoded = this.encoded(() => encode(rest, "options", this));
    let density: ConditionedModel;
    const read = async (): Promise<unknown[]> => {
      const { checkModeOptions, modeTarget, openEngine, portableMode } = await later(() => import("./densities.ts"));
      checkModeOptions(options);
      const { deterministic = false } = options;
      density = await model.condition(data, { deterministic });
      const target = modeTarget(density, await openEngine(), start ? { start } : {});
      return [{ [TAG]: "mode", portable: portableMode(target) }, {}, encoded];
    };
    const finish = async ({ from }: Sent): Promise<Mode> => {
      const { withValues } = await later(() => import("./densities.ts"));
      return withValues(from as FoundMode, density);
    };
    return this.launch("fit", read, finish, signal);
  }

  /**
   * Sends the graph in its current state. The learned graph is assembled on the calling side, because the calling side
   * has its factors.
   */
  private beginLearning(
    verb: VerbName,
    before: readonly unknown[],
    graph: FactorGraph,
    given: GraphFitOptions,
  ): RemoteRun<LearnedGraph> {
    checkOptions(verb, given);
    const { signal, from, ...options } = given;
    // Evidence added later is not part of this snapshot.
    const whole = graph.withoutEvidence([]);
    // Learning starts from only some parts of an earlier result, so the message carries only these parts.
    const sentFrom = from === undefined ? {} : { from: learnedBefore(from) };
    const sent = this.encoded(() => [encode(whole, "the graph", this), encode({ ...options, ...sentFrom }, "options", this)]);
    return this.launch(
      verb,
      async () => [...(await Promise.all(before.map((kept) => this.kept(kept)))).map((kept) => kept.sent), ...sent],
      async ({ from: learned }) => {
        const { learnedGraph } = await import("../../graphs/learn/learned-graph.ts");
        const { weights, run, ...ended } = learned as Pick<LearnedGraph, "weights" | "run" | "heldOut" | "particles">;
        const shown = whole.withoutEvidence(ended.heldOut.map(({ variable }) => variable));
        return learnedGraph({ whole, shown, ...ended }, weights, run);
      },
      signal,
    );
  }

  /** Sends the graph as tables or columns that include its evidence. The calling side adds names to the answers. */
  private beginInference(verb: VerbName, before: readonly unknown[], graph: Inferred, given: InferOptions): RemoteRun<Inference> {
    checkOptions(verb, given);
    const { signal, evidence, from, ...options } = given;
    // The message carries only the chains of an earlier answer.
    const sentFrom = from === undefined ? {} : { from: { chains: from?.chains } };
    const encoded = this.encoded(() => encode({ ...options, ...sentFrom }, "options", this));
    let tables: FactorTables | Conditionals;
    const read = async (): Promise<unknown[]> => {
      const { graphFor, portableColumns, portableTables, tasks } = await import("../../graphs/infer/tables-of.ts");
      const { inferenceFromJson } = await import("../../graphs/infer/registry.ts");
      const { inTurns } = await import("../../engine/threads/steps.ts");
      const kept = await Promise.all(before.map((from) => this.kept(from)));
      const task = kept.length > 0 ? keptTask(kept[0].recipe) : options.task;
      const made = kept.length > 0 ? keptAlgorithm(kept[0].recipe) : undefined;
      const algorithm = options.algorithm ?? inferenceFromJson(made ?? { algorithm: "automatic" });
      // An unknown task is refused on the thread.
      const making = graphFor(verb, graph, tasks.find((one) => one === task) ?? "marginals", algorithm, evidence);
      tables = await inTurns(making, signal);
      const sent =
        "factors" in tables
          ? { [TAG]: "tables", portable: portableTables(tables) }
          : { [TAG]: "columns", portable: portableColumns(tables) };
      return [...kept.map((one) => one.sent), sent, encoded];
    };
    return this.launch(
      verb,
      read,
      async ({ from }) => {
        const named = { name: (v: number) => tables.name(v), state: (v: number, s: number) => tables.state(v, s) };
        const [{ Answer }, { weightsOf }] = await Promise.all([
          import("../../graphs/answers/index.ts"),
          import("../../graphs/infer/tables-of.ts"),
        ]);
        return new Answer({ ...(from as ReturnType<Inference["portable"]>), ...weightsOf(tables), ...named });
      },
      signal,
    );
  }
}

function checkOptions(verb: VerbName, options: { signal?: unknown }): void {
  if (typeof options !== "object" || options === null) refuse(verb, "options", options, "an object", "{ seed: 1 }");
  checkSignal(verb, options.signal);
}

/** Algorithm and task that a checkpoint of `infer` contains. */
const keptAlgorithm = ({ inference }: JsonObject): JsonObject | undefined =>
  (inference as { algorithm?: JsonObject } | undefined)?.algorithm;
const keptTask = ({ inference }: JsonObject): unknown => (inference as { plan?: { task?: unknown } } | undefined)?.plan?.task;

const isGraph = (graph: unknown): graph is FactorGraph => trainedBy(graph) === "graph";

const learnedBefore = ({ weights, graph, particles }: NonNullable<GraphFitOptions["from"]>): object => ({
  weights,
  ...(graph ? { graph } : {}),
  ...(particles ? { particles } : {}),
});

function refuseStream(): never {
  throw new OptionError(
    "worker",
    "fit.stream is not one of its verbs, because a stream of blocks cannot be sent to a thread; call fit.stream of ergodic here, or in a worker of your own",
    "WORKER_ARGUMENT",
  );
}

const isStatistical = (model: unknown): model is StatisticalModel =>
  typeof model === "object" && model !== null && "condition" in model;

const isConditioned = (model: unknown): model is ConditionedModel => holds(model, "traced") && holds(model, "constrain");

/**
 * Separates the options, which are the last argument, from the other arguments. The last argument is treated as the
 * options if it is a plain object.
 */
function withOptions(args: readonly unknown[]): [unknown[], object] {
  const last = args.at(-1);
  const isOptions =
    args.length > 1 && typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
  return isOptions ? [args.slice(0, -1), last] : [[...args], {}];
}

async function finished({ made, from }: Sent): Promise<unknown> {
  switch (made) {
    case "predictor": {
      const { bytes, run, gap } = from as Trained & { bytes: Uint8Array };
      return trained(await predictor(bytes, { maxWork: Infinity }), run, gap);
    }
    case "path":
      return new (await later(() => import("../../learning/fit/linear-path.ts"))).LinearPath(from as PathParts);
    case "draws":
      return new (await later(() => import("../../bayes/draws/index.ts"))).Draws(from as DrawsContent);
    case "calibration": {
      const { Calibration } = await later(() => import("../../bayes/calibrate.ts"));
      return Object.assign(Object.create(Calibration.prototype), from);
    }
    default:
      return from;
  }
}

/** Reads the file from which `fit` starts, because its address is relative to the calling side. */
async function withFile(options: object): Promise<object> {
  const { from } = options as { from?: string | { href: string } };
  const address = typeof from === "object" && TAG in from ? new URL(from.href) : from;
  const isAddress = typeof address === "string" || address instanceof URL;
  return isAddress ? { ...options, from: await readWhole(address) } : options;
}
