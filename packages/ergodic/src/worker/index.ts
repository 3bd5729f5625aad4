/** `ergodic/worker`: the verbs on a thread of their own, which the library starts. */
import { ChainDraws } from "../algorithms/sampling/index.ts";
import type { Answer as Inference } from "../answers/index.ts";
import { checkSignal, refuse } from "../base/checks.ts";
import { checkKeys, OptionError, saidBy, WorkerError } from "../base/errors.ts";
import { nameOf, readWhole } from "../base/files.ts";
import { type Opening, type OwnThread, openOwnThread, seenFromHere } from "../base/own-thread.ts";
import { errorFrom } from "../base/sent-errors.ts";
import type { Conditionals, FactorTables, JsonObject } from "../contract.ts";
import { Draws, type DrawsContent } from "../draws/index.ts";
import { openEngine } from "../host/engine.ts";
import { readCheckpoint } from "../loop/checkpoint.ts";
import { ConditionedModel, type ModelData, type StatisticalModel } from "../models/statistical/index.ts";
import { portableOf } from "../models/statistical/portable.ts";
import { predictor } from "../predict/load.ts";
import { Calibration, type calibrate } from "../verbs/calibrate.ts";
import type { fit } from "../verbs/fit/fit.ts";
import type { FoundMode, Mode } from "../verbs/fit/found-mode.ts";
import type { Trained } from "../verbs/fit/launch.ts";
import { checkModeOptions, withValues } from "../verbs/fit/mode.ts";
import type { ModeOptions } from "../verbs/fit/mode-options.ts";
import type { modeTarget } from "../verbs/fit/mode-target.ts";
import { LinearPath, type PathParts } from "../verbs/fit/path.ts";
import type { InferOptions, infer } from "../verbs/infer/infer.ts";
import type { Inferred } from "../verbs/infer/tables-of.ts";
import type { minimize } from "../verbs/minimize/minimize.ts";
import { type Drawn, drawsOf } from "../verbs/named-draws.ts";
import {
  answerNames,
  calibrationNames,
  drawsNames,
  minimumNames,
  modeNames,
  pathNames,
  trainedNames,
  tunedNames,
} from "../verbs/result-names.ts";
import { type SampleOptions, type sample, startOf } from "../verbs/sample.ts";
import type { tune } from "../verbs/tune.ts";
import { Exported, encode, type KnownData, TAG } from "./encode.ts";
import { type Answer, notBegun, type Request, type Sent, type VerbName } from "./messages.ts";
import { ownIn } from "./own.ts";
import { RemoteRun } from "./remote-run.ts";

export type { RemoteRun } from "./remote-run.ts";

/** Options of `worker`. */
export interface WorkerOptions {
  /**
   * The address of a module, as seen from the page (Node: from the working folder); `exported("name")` refers to its exports: functions to minimise, models of your own. Rules, losses, layers and distributions
   * that the module defines are known to the thread by their names.
   */
  readonly module?: string | URL;
  /**
   * The address of the thread's own program, for bundlers that leave `new Worker(new URL(…))` as it is (esbuild, Rollup): build `ergodic/worker/serve` as an entry of
   * its own.
   */
  readonly script?: string | URL;
}

/** The verbs of `ergodic`, whose runs are on another thread. They take and give what those do. */
export interface WorkerVerbs extends Disposable {
  /** `fit`, on the worker's thread. */
  readonly fit: typeof fit;
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
  /** Stands for what the module of `worker({ module })` exports under that name, wherever an argument goes. */
  exported<T = never>(name: string): T;
  /** Ends the thread; runs in progress are rejected. */
  dispose(): void;
}

/**
 * Starts a thread, and gives the verbs whose runs are made there, so that a page stays free whatever it computes, on any host.
 *
 *   const { fit, sample } = worker();
 *   const fitted = await fit(linear({ loss: "logistic" }), data, { epochs: 20 });
 *   for await (const tick of sample(schools, { y, sigma })) progress(tick);
 *
 * Statistical models are traced and compiled here, and draws get their names here; data are copied once. Functions cannot be sent: `module` says where
 * the thread finds them.
 *
 * @throws OptionError [WORKER_ARGUMENT] for what cannot be sent; WorkerError where the thread cannot be started, or ends
 */
export function worker(options: WorkerOptions = {}): WorkerVerbs {
  checkKeys("worker", options, ["module", "script"]);
  return new Client(options);
}

class Client implements WorkerVerbs, KnownData {
  private readonly port: OwnThread<Request>;
  private readonly runs = new Map<number, WeakRef<RemoteRun<unknown>>>();
  private readonly unfinished = new Map<number, RemoteRun<unknown>>();
  private readonly keepers = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: unknown): void }>();
  private readonly numbers = new WeakMap<object, number>();
  /** Data that were numbered for the message that is being made. */
  private readonly fresh: object[] = [];
  private readonly forgotten = new FinalizationRegistry<{ data?: number; run?: number }>((what) =>
    this.port.post({ kind: "forget", ...what }),
  );
  private next = 0;
  readonly hasModule: boolean;
  private death: WorkerError | undefined;

  constructor({ module, script }: WorkerOptions) {
    this.hasModule = module !== undefined;
    const address = module === undefined ? undefined : seenFromHere("worker", "module", module);
    const program = script === undefined ? undefined : seenFromHere("worker", "script", script);
    try {
      this.port = openOwnThread<Request, Answer>(
        opening(program),
        (answer) => this.hear(answer),
        (cause) => this.die(cause),
      );
    } catch (cause) {
      throw new WorkerError("worker", `the thread cannot be started: ${saidBy(cause)}; ${UNSTARTED}`, "WORKER_START", { cause });
    }
    if (address !== undefined) this.port.post({ kind: "module", url: address.href });
  }

  readonly fit = Object.assign(
    (model: unknown, data: unknown, options: object = {}) => {
      if (isStatistical(model)) return this.beginMode(model, data as ModelData, options);
      return this.begin("fit", [model, data], options);
    },
    {
      resume: (from: unknown, data: unknown, options: object = {}) => this.begin("fit.resume", [from, data], options),
      check: async (...given: Parameters<typeof fit.check>) => (await import("../verbs/fit/fit.ts")).fit.check(...given),
      path: Object.assign(
        (model: unknown, data: unknown, options: object = {}) => this.begin("fit.path", [model, data], options),
        {
          resume: (from: unknown, data: unknown, options: object = {}) => this.begin("fit.path.resume", [from, data], options),
        },
      ),
    },
  ) as unknown as typeof fit;

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
        'calibrate conditions its model on data that it simulates, on the thread itself; export the model from a module, and give worker({ module }) and exported("name")',
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

  numberOf(data: object): { number: number; isNew: boolean } {
    const known = this.numbers.get(data);
    if (known !== undefined) return { number: known, isNew: false };
    const number = this.next++;
    this.numbers.set(data, number);
    this.fresh.push(data);
    this.forgotten.register(data, { data: number });
    return { number, isNew: true };
  }

  /** As the verbs, it may be taken out of its object. */
  readonly dispose = (): void => {
    this.port.end();
    this.die(new Error("it was disposed of"));
  };

  [Symbol.dispose](): void {
    this.dispose();
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

  /** A checkpoint, with what it names of the user's own. It is read here: on the thread, relative addresses would be seen from its own program. */
  private async kept(from: unknown): Promise<{ sent: object; recipe: JsonObject }> {
    const name = nameOf(from as string, "checkpoint");
    const bytes = await readWhole(from as string);
    const { recipe } = await readCheckpoint(bytes, name);
    return { sent: { [TAG]: "checkpoint", from: bytes, own: ownIn(recipe, this.hasModule) }, recipe };
  }

  /** What `make` encodes; where that fails nothing is sent, and data that would have gone with it are as new as before. */
  private encoded<T>(make: () => T): T {
    this.fresh.length = 0;
    try {
      return make();
    } catch (error) {
      this.unsend(this.fresh.splice(0));
      throw error;
    }
  }

  /** These data have not arrived: they go with the next message that has them. */
  private unsend(data: readonly object[]): void {
    for (const one of data) this.numbers.delete(one);
  }

  /** A model is conditioned here, and sent as its density. */
  private beginSampling(
    verb: VerbName,
    before: readonly unknown[],
    model: unknown,
    data: unknown,
    given: SampleOptions,
  ): RemoteRun<Draws> {
    checkOptions(verb, given);
    const { signal, ...options } = given;
    if (!isStatistical(model) && !(model instanceof ConditionedModel))
      return this.begin(verb, [...before, model, data], { signal, ...options });
    if (options.rows !== undefined)
      throw new OptionError(
        "worker",
        'rows is given, but a model whose rows are drawn is not sent; export it from a module, and give worker({ module }) and exported("name")',
        "WORKER_ARGUMENT",
      );
    const { start, chains = 4, deterministic = false, ...rest } = options;
    const others = { ...rest, ...(verb === "sample" ? { chains, deterministic } : {}) };
    const encoded = this.encoded(() => encode(others, "options", this) as object);
    let density: ConditionedModel;
    const read = async (): Promise<unknown[]> => {
      density = model instanceof ConditionedModel ? model : await model.condition(data as ModelData, { deterministic });
      const started = start === undefined ? {} : { start: startOf(density, start, chains) };
      const sent = { [TAG]: "density", portable: portableOf(density) };
      const kept = await Promise.all(before.map((from) => this.kept(from)));
      return [...kept.map((one) => one.sent), sent, {}, { ...encoded, ...started }];
    };
    return this.launch(
      verb,
      read,
      async ({ from }) => {
        const { raw, ...left } = from as Omit<Drawn, "raw"> & { raw: ConstructorParameters<typeof ChainDraws> };
        return drawsOf(density, { ...left, raw: new ChainDraws(...raw) });
      },
      signal,
    );
  }

  /** A mode is searched for on the model's density, and its values are made here. */
  private beginMode(model: StatisticalModel, data: ModelData, options: ModeOptions): RemoteRun<Mode> {
    checkOptions("fit", options);
    checkModeOptions(options);
    const { signal, start, ...rest } = options;
    const encoded = this.encoded(() => encode(rest, "options", this));
    let target: ReturnType<typeof modeTarget>;
    const read = async (): Promise<unknown[]> => {
      const [{ modeTarget, portableMode }, engine] = await Promise.all([import("../verbs/fit/mode-target.ts"), openEngine()]);
      const { deterministic = false } = options;
      target = modeTarget(await model.condition(data, { deterministic }), engine, start ? { start } : {});
      return [{ [TAG]: "mode", portable: portableMode(target) }, {}, encoded];
    };
    return this.launch("fit", read, async ({ from }) => withValues(from as FoundMode, target.model), signal);
  }

  /** A graph is sent as tables or in columns, which know its evidence; answers get their names here. */
  private beginInference(verb: VerbName, before: readonly unknown[], graph: Inferred, given: InferOptions): RemoteRun<Inference> {
    checkOptions(verb, given);
    const { signal, evidence, from, ...options } = given;
    // Of an answer a message takes what is wanted of it.
    const sentFrom = from === undefined ? {} : { from: { chains: from?.chains } };
    const encoded = this.encoded(() => encode({ ...options, ...sentFrom }, "options", this));
    let tables: FactorTables | Conditionals;
    const read = async (): Promise<unknown[]> => {
      const { graphFor, portableColumns, portableTables, tasks } = await import("../verbs/infer/tables-of.ts");
      const { inferenceFromJson } = await import("../algorithms/inference/registry.ts");
      const kept = await Promise.all(before.map((from) => this.kept(from)));
      const task = kept.length > 0 ? keptTask(kept[0].recipe) : options.task;
      const made = kept.length > 0 ? keptAlgorithm(kept[0].recipe) : undefined;
      const algorithm = options.algorithm ?? inferenceFromJson(made ?? { algorithm: "automatic" });
      // The thread refuses what is none.
      tables = graphFor(verb, graph, tasks.find((one) => one === task) ?? "marginals", algorithm, evidence);
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
        const { Answer } = await import("../answers/index.ts");
        return new Answer({ ...(from as ReturnType<Inference["portable"]>), ...named });
      },
      signal,
    );
  }

  private launch<R>(
    verb: VerbName,
    args: () => Promise<unknown[]>,
    finish: (sent: Sent) => Promise<R>,
    signal: AbortSignal | undefined,
  ): RemoteRun<R> {
    const id = this.next++;
    const numbered = this.fresh.splice(0);
    // What is asked of a run comes after the run; resolves to whether it was sent.
    let whenSent = Promise.resolve(true);
    const post = (request: Request): void => void whenSent.then(() => this.port.post(request));
    const keep = async (run: number): Promise<Uint8Array> => {
      const wasSent = await whenSent;
      if (this.death) throw this.death;
      if (!wasSent) throw notBegun();
      const request = this.next++;
      return new Promise((resolve, reject) => {
        this.keepers.set(request, { resolve, reject });
        this.port.post({ kind: "checkpoint", id: run, request });
      });
    };
    const run = new RemoteRun<R>(id, { post, keep, finish, signal, resultNames: resultNames(verb) });
    this.runs.set(id, new WeakRef(run));
    this.unfinished.set(id, run);
    this.forgotten.register(run, { run: id });
    const done = (): void => void this.unfinished.delete(id);
    run.then(done, done);
    if (this.death) run.fail(this.death);
    else
      whenSent = args()
        .then((sent) => {
          this.port.post({ kind: "run", id, verb, args: sent });
          return true;
        })
        .catch((error: unknown) => {
          this.unsend(numbered);
          run.fail(notSent(error));
          return false;
        });
    return run;
  }

  private hear(answer: Answer): void {
    if (answer.kind === "ready") return;
    if (answer.kind !== "kept") {
      (this.unfinished.get(answer.id) ?? this.runs.get(answer.id)?.deref())?.hear(answer);
      return;
    }
    const keeper = this.keepers.get(answer.request);
    this.keepers.delete(answer.request);
    if (answer.bytes) keeper?.resolve(answer.bytes);
    else keeper?.reject(errorFrom(answer.failure!));
  }

  private die(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.death ??= new WorkerError("worker", `the thread ended: ${reason}; start another by worker()`, "WORKER_DIED", { cause });
    for (const waiting of [...this.keepers.values()]) waiting.reject(this.death);
    this.keepers.clear();
    for (const run of [...this.unfinished.values()]) run.fail(this.death);
  }
}

/** Whatever a verb may give. */
function resultNames(verb: VerbName): readonly string[] {
  if (verb.startsWith("fit.path")) return pathNames();
  if (verb.startsWith("fit")) return [...trainedNames(), ...modeNames()];
  if (verb.startsWith("sample")) return drawsNames();
  if (verb.startsWith("minimize")) return minimumNames();
  if (verb.startsWith("tune")) return tunedNames();
  return verb === "calibrate" ? calibrationNames() : answerNames();
}

function checkOptions(verb: VerbName, options: { signal?: unknown }): void {
  if (typeof options !== "object" || options === null) refuse(verb, "options", options, "an object", "{ seed: 1 }");
  checkSignal(verb, options.signal);
}

/** What no message can carry. */
function notSent(error: unknown): unknown {
  if (!(error instanceof DOMException && error.name === "DataCloneError")) return error;
  return new OptionError("worker", `an argument cannot be sent to a worker: ${error.message}`, "WORKER_ARGUMENT", {
    cause: error,
  });
}

/** What a checkpoint of `infer` was asked for. */
const keptAlgorithm = ({ inference }: JsonObject): JsonObject | undefined =>
  (inference as { algorithm?: JsonObject } | undefined)?.algorithm;
const keptTask = ({ inference }: JsonObject): unknown => (inference as { plan?: { task?: unknown } } | undefined)?.plan?.task;

const isStatistical = (model: unknown): model is StatisticalModel =>
  typeof model === "object" && model !== null && "condition" in model;

/** The last argument is options, though it may be left out: what has no prototype of its own. */
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
      return Object.assign(await predictor(bytes, { maxWork: Infinity }), { run }, gap === undefined ? {} : { gap });
    }
    case "path":
      return new LinearPath(from as PathParts);
    case "draws":
      return new Draws(from as DrawsContent);
    case "calibration":
      return Object.assign(Object.create(Calibration.prototype), from);
    default:
      return from;
  }
}

/** Service workers and shared workers have no Worker, and no Worker has the program of another origin. */
const UNSTARTED =
  "where there are no threads, take the verbs of ergodic itself; from another origin, copy ergodic/dist to this one, and give worker({ script }) the address of its worker/serve.js";

/** Options of `fit` with the file that training begins at: addresses are as seen from here. */
async function withFile(options: object): Promise<object> {
  const { from } = options as { from?: string | { href: string } };
  const address = typeof from === "object" && TAG in from ? new URL(from.href) : from;
  const isAddress = typeof address === "string" || address instanceof URL;
  return isAddress ? { ...options, from: await readWhole(address) } : options;
}

const opening = (script: URL | undefined): Opening => ({
  onNode: (Thread, options) => new Thread(script ?? new URL("./serve.js", import.meta.url), options),
  onWeb: () =>
    script
      ? new Worker(script, { type: "module", name: "ergodic" })
      : new Worker(new URL("./serve.js", import.meta.url), { type: "module", name: "ergodic" }),
  entry: "ergodic/worker/serve",
  call: "worker({ script })",
});
