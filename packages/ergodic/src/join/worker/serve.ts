/**
 * The thread of `ergodic/worker`. The thread executes calls from the page and reports their ticks and results.
 *
 * It is a Web Worker of type "module", or a worker thread of Node. If a bundler does not detect the worker, build this
 * module as a separate entry and pass the entry's address as `worker({ script })`.
 */

import type { Calibration } from "../../bayes/calibrate.ts";
import type { Draws } from "../../bayes/draws/index.ts";
import type { ModeOptions } from "../../bayes/mode/mode-options.ts";
import type { PortableMode, PortedMode } from "../../bayes/mode/mode-target.ts";
import type { PortableDensity, PortedDensity } from "../../bayes/model/portable.ts";
import type { Drawn } from "../../bayes/named-draws.ts";
import type { SampleOptions, SampleWatchOptions } from "../../bayes/sample.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { Ratings } from "../../engine/data/ratings.ts";
import { saidBy, WorkerError } from "../../engine/errors/errors.ts";
import { sentError } from "../../engine/errors/sent-errors.ts";
import { modeNames } from "../../engine/loop/result-names.ts";
import { Run } from "../../engine/loop/run.ts";
import { type Engine, openEngine } from "../../engine/memory/engine.ts";
import type { Family } from "../../engine/memory/families.ts";
import { later } from "../../engine/threads/later.ts";
import { parentOf } from "../../engine/threads/own-thread.ts";
import type { Answer as Answered } from "../../graphs/answers/index.ts";
import type { LearnedGraph } from "../../graphs/learn/learned-graph.ts";
import type { Trained } from "../../learning/fit/launch.ts";
import type { LinearPath } from "../../learning/fit/linear-path.ts";
import type { OutputPredictor } from "../../predict/output-predictor.ts";
import { decode, receive, type Tagged } from "./decode.ts";
import { TAG } from "./encode.ts";
import { type Answer, notBegun, type Request, type Sent, type VerbName } from "./messages.ts";

type Verb = (...args: never[]) => Run<unknown>;

/** Returns raw draws. Only the page has traced the model, so the page adds the names to the draws. */
const drawn = (_: unknown, left: Drawn): Drawn => left;

/** Searches for a mode of a received density. */
async function searchReceived(): Promise<Verb> {
  const { searchMode } = await import("../../bayes/mode/mode.ts");
  return (model: PortedMode, _: unknown, options: ModeOptions) =>
    new Run({
      ...(options.signal ? { signal: options.signal } : {}),
      resultNames: modeNames(),
      ...searchMode(
        options,
        async () => model,
        (found) => found,
      ),
    });
}

/** Samples from a received density. */
async function sampleReceived(): Promise<Verb> {
  const { startWith } = await import("../../bayes/sample.ts");
  return (model: PortedDensity, _: unknown, options: SampleOptions) =>
    startWith(model, { dimension: model.dimension }, options, drawn);
}

async function resumeReceived(): Promise<Verb> {
  const { resumeWith } = await import("../../bayes/sample.ts");
  return (from: Uint8Array, model: PortedDensity, _: unknown, options: SampleWatchOptions) =>
    resumeWith(from, model, { dimension: model.dimension }, options, drawn);
}

/** Verbs whose model is a compiled density or mode from the page. */
const ofReceived: Readonly<Partial<Record<VerbName, () => Promise<Verb>>>> = {
  fit: searchReceived,
  sample: sampleReceived,
  "sample.resume": resumeReceived,
};

/** The thread loads only the code of the verbs that the page calls. */
const verbs: Readonly<Record<VerbName, () => Promise<Verb>>> = {
  fit: async () => (await import("../fit.ts")).fit as Verb,
  "fit.resume": async () => (await import("../fit.ts")).fit.resume as Verb,
  "fit.path": async () => (await import("../fit.ts")).fit.path as Verb,
  "fit.path.resume": async () => (await import("../fit.ts")).fit.path.resume as Verb,
  sample: async () => (await import("../../bayes/sample.ts")).sample as Verb,
  "sample.resume": async () => (await import("../../bayes/sample.ts")).sample.resume as Verb,
  minimize: async () => (await import("../../search/minimize/minimize.ts")).minimize as Verb,
  "minimize.resume": async () => (await import("../../search/minimize/minimize.ts")).minimize.resume as Verb,
  tune: async () => (await import("../../search/tune.ts")).tune as Verb,
  "tune.resume": async () => (await import("../../search/tune.ts")).tune.resume as Verb,
  calibrate: async () => (await import("../../bayes/calibrate.ts")).calibrate as Verb,
  infer: async () => (await import("../../graphs/infer/infer.ts")).infer as Verb,
  "infer.resume": async () => (await import("../../graphs/infer/infer.ts")).infer.resume as Verb,
};

/** Encodes results as messages. */
function sent(verb: VerbName, result: unknown): Sent {
  if (verb === "fit" || verb === "fit.resume") {
    if ("heldOut" in (result as object)) {
      const { weights, heldOut, particles, run } = result as LearnedGraph;
      return { made: "learned", from: { weights, heldOut, particles, run } };
    }
    if (!(typeof (result as OutputPredictor).toBytes === "function")) return { made: "plain", from: result };
    const { run, gap } = result as Trained;
    return { made: "predictor", from: { bytes: (result as OutputPredictor).toBytes(), run, gap } };
  }
  if (verb.startsWith("fit.path")) return { made: "path", from: (result as LinearPath).portable() };
  if (verb === "calibrate") {
    const { simulations, draws, numbers } = result as Calibration;
    return { made: "calibration", from: { simulations, draws, numbers } };
  }
  if (verb.startsWith("infer")) return { made: "answer", from: (result as Answered).portable() };
  if (!verb.startsWith("sample")) return { made: "plain", from: result };
  if (!("raw" in (result as object))) return { made: "draws", from: (result as Draws).portable() };
  const { raw, ...left } = result as Drawn;
  return { made: "drawn", from: { ...left, raw: raw.portable() } };
}

/** Run on this thread, with the requests that arrived before it began. */
interface Served {
  readonly abort: AbortController;
  run?: Run<unknown>;
  /** Requests that wait until the run begins. The callbacks receive undefined if the run could not begin. */
  readonly early: ((run: Run<unknown> | undefined) => void)[];
  failed?: boolean;
}

/** Returns the compiled density or mode among the arguments of a call. */
function receivedIn(args: readonly unknown[]): PortableDensity | PortableMode | undefined {
  const isCompiled = (arg: unknown): boolean => ["density", "mode"].includes(String((arg as Partial<Tagged> | null)?.[TAG]));
  const sent = args.find(isCompiled) as Tagged | undefined;
  return sent?.portable as PortableDensity | PortableMode | undefined;
}

/** Returns the kernel options of a received density or mode. All other calls request their kernels themselves. */
function kernelsOf(received: PortableDensity | PortableMode | undefined): {
  deterministic?: boolean;
  families?: readonly Family[];
} {
  if (!received) return {};
  const { deterministic, families } = received;
  return { deterministic, families };
}

class Server {
  private readonly post: (answer: Answer) => void;
  private readonly runs = new Map<number, Served>();
  private readonly data = new Map<number, Dataset | Ratings>();
  /** Number of runs in progress. */
  private active = 0;
  private module: Promise<Record<string, unknown>> = Promise.resolve({});

  constructor(post: (answer: Answer) => void) {
    this.post = post;
    post({ kind: "ready" });
  }

  readonly take = (request: Request): void => {
    if (request.kind === "module") {
      this.module = imported(request.url);
      this.module.catch(() => {}); // The first run that needs the module reports the error.
    } else if (request.kind === "run") {
      const served: Served = { abort: new AbortController(), early: [] };
      this.runs.set(request.id, served);
      void this.run(served, request.id, request.verb, request.args);
    } else if (request.kind === "forget") {
      if (request.run !== undefined) this.runs.delete(request.run);
      if (request.data === undefined) return;
      this.data.get(request.data)?.dispose();
      this.data.delete(request.data);
    } else if (request.kind === "checkpoint") this.keep(request.id, request.request);
    else {
      const { kind, id, reason } = request;
      const served = this.runs.get(id);
      if (kind === "abort") served?.abort.abort();
      else if (served) this.tell(served, (run) => void (kind === "stop" ? run?.stop(reason) : run?.[kind]()));
    }
  };

  private tell(served: Served, what: (run: Run<unknown> | undefined) => void): void {
    if (served.run || served.failed) what(served.run);
    else served.early.push(what);
  }

  private async run(served: Served, id: number, verb: VerbName, given: readonly unknown[]): Promise<void> {
    let engine: Engine | undefined;
    try {
      for (const value of given) receive(value, this.data);
      const module = await this.module;
      const received = receivedIn(given);
      engine = await openEngine(kernelsOf(received));
      engine.crowded = ++this.active > 1;
      const known = { data: this.data, module, engine };
      const args = await Promise.all(given.map((value) => decode(value, verb, known)));
      const options = { ...(args.at(-1) as JsonObject), signal: served.abort.signal };
      const load = (received && ofReceived[verb]) ?? verbs[verb];
      const begin = (await later(load)) as (...args: unknown[]) => Run<unknown>;
      const run = begin(...args.slice(0, -1), options);
      served.run = run;
      for (const what of served.early.splice(0)) what(run);
      run.chosen.then(
        (chosen) => this.post({ kind: "chosen", id, chosen }),
        () => {}, // Awaiting the result reports the error.
      );
      for await (const tick of run) this.post({ kind: "tick", id, tick });
      this.post({ kind: "done", id, result: sent(verb, await run) });
    } catch (error) {
      served.failed = true;
      this.post({ kind: "failed", id, failure: sentError(error) });
      for (const what of served.early.splice(0)) what(undefined);
    } finally {
      if (engine) engine.crowded = --this.active > 1;
    }
  }

  private keep(id: number, request: number): void {
    const served = this.runs.get(id);
    if (!served) return;
    this.tell(served, (run) => {
      const kept = run ? run.checkpoint() : Promise.reject(notBegun());
      kept.then(
        (bytes) => this.post({ kind: "kept", request, bytes }),
        (error: unknown) => this.post({ kind: "kept", request, failure: sentError(error) }),
      );
    });
  }
}

/** Imports the user's module. @throws WorkerError [WORKER_MODULE] if the module is missing or throws */
async function imported(url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as Record<string, unknown>;
  } catch (cause) {
    const error = new WorkerError(
      "worker",
      `the module ${url} cannot be imported: ${saidBy(cause)}; give its address by worker({ module: new URL("./objective.js", import.meta.url) })`,
      "WORKER_MODULE",
      { cause },
    );
    if (cause instanceof Error) error.stack += `\n${cause.stack}`;
    throw error;
  }
}

const parent = parentOf<Request, Answer>();
if (parent) parent.hear(new Server(parent.post).take);
