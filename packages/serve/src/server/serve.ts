import type { AddressInfo } from "node:net";
import { CapabilityError } from "ergodic";
import type { OnlineLearner } from "../learn/index.ts";
import { type JoiningOptions, joiningOf } from "../models/joining.ts";
import { LearningModel } from "../models/learning-model.ts";
import { servedOfFile, servedPredictor } from "../models/of-file.ts";
import { OnnxModel } from "../models/onnx-model.ts";
import { PairModel } from "../models/pair-model.ts";
import type { Served } from "../models/served.ts";
import { type IndexEntry, Repository } from "../repository/repository.ts";
import type { Source } from "../repository/sources.ts";
import { appOf } from "./app.ts";
import type { Server } from "./context.ts";
import { keepHeap } from "./heap.ts";
import { type Logger, logger } from "./log.ts";
import { checkedOptions, type ModelAtHand, type ServeOptions, type ServeSettings } from "./options.ts";

/** A running server. */
export interface Serving {
  /** Address of the server, such as "http://127.0.0.1:8080". */
  readonly url: string;
  /** Returns all versions of all models, with their states and the reasons why some are not served. */
  models(): readonly IndexEntry[];
  /**
   * Ends the server. Readiness then returns 503, but requests are accepted for another `drainMs`. After that, no more
   * requests are accepted, and all accepted requests are answered. Resolves when all connections are closed and all
   * models are freed.
   */
  close(): Promise<void>;
}

/**
 * Serves models over HTTP. A request either uses the Open Inference Protocol (KServe V2), which allows binary tensors,
 * or contains rows as objects whose keys are column names.
 *
 * @param options models to serve, port, host, and limits on queues, work and memory
 * @throws OptionError; DataError if a model named as a file cannot be served; CapabilityError if the port is not
 * available
 *
 * @example
 * ```ts
 * const server = await serve({ models: "models/", port: 8080 });
 * console.log(server.url);
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const settings = checkedOptions(options);
  keepHeap();
  const log = logger(settings.log, settings.logTo);
  const { workers, maxWork, maxMemory } = settings;
  const limits = { ...(maxWork !== undefined && { maxWork }), ...(maxMemory !== undefined && { maxMemory }) };
  const repository = new Repository({
    ...(await modelsOf(settings)),
    batching: {
      maxRows: settings.maxBatch,
      maxDelayMs: settings.maxDelayMs,
      maxQueueRows: settings.maxQueueRows,
      deadlineMs: settings.deadlineMs,
      ...(settings.targetP99Ms === undefined ? {} : { targetP99Ms: settings.targetP99Ms }),
    },
    versions: settings.versions,
    pollMs: settings.pollMs,
    load: (path, name, signal) => servedOfFile(path, { workers, limits, ...joiningOptions(settings, name) }, signal),
    report: (level, message, fields) => log[level](fields, message),
  });
  const server: Server = { settings, repository, log, draining: false, answers: new Map() };
  const app = await appOf(server);
  try {
    // Loading can take minutes. Meanwhile the server is live, but not ready.
    await app.listen({ port: settings.port, host: settings.host }).catch((cause: NodeJS.ErrnoException) => {
      const isForeign = ["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"].includes(cause.code ?? "");
      const advice = isForeign ? "give an address of this machine: 127.0.0.1, or 0.0.0.0 for all" : "use another port";
      const said = `the server cannot listen on ${settings.host}:${settings.port} (${cause.message}); ${advice}`;
      throw new CapabilityError("serve", said, "HOST_PORT", { cause });
    });
    await repository.start();
    for (const { name, served } of repository) if (served instanceof LearningModel) reportLearner(name, served.learner, log);
    const url = urlOf(app.server.address() as AddressInfo, settings);
    log.info({ url, models: [...new Set(Array.from(repository, ({ name }) => name))] }, "serves");
    const foreign = new Set(Array.from(repository).flatMap(({ name, served }) => (served.joining ? [name] : [])));
    for (const name of Object.keys(settings.join))
      if (!foreign.has(name)) log.warn({ model: name }, "the option join names it, but no ONNX model of that name is served");
    if (repository.names.length === 0) log.warn({ models: settings.models }, NO_MODELS);
    let closing: Promise<void> | undefined;
    return {
      url,
      models: () => repository.index(),
      close: () => (closing ??= end(app, server)),
    };
  } catch (error) {
    await app.close();
    await repository.close();
    throw error;
  }
}

const NO_MODELS =
  "there is no model yet: put NAME.safetensors, NAME.onnx or NAME/VERSION/model.safetensors into a folder of models, and it will be served";

/** Logs how many bytes a learner dropped when it was opened and, if it fails later, the failure. */
function reportLearner(model: string, learner: OnlineLearner, log: Logger): void {
  const { recovered, version } = learner.stats();
  const { droppedBytes } = recovered;
  if (droppedBytes > 0)
    log.warn({ model, version, droppedBytes }, "dropped an incomplete, unconfirmed write at the end of the journal");
  void learner.failed.then((error) =>
    log.error(
      { model, version: learner.stats().version, reason: error.message },
      "no longer learns; the confirmed version is served",
    ),
  );
}

async function end(app: Awaited<ReturnType<typeof appOf>>, server: Server): Promise<void> {
  const { settings, log, repository } = server;
  log.info({ drainMs: settings.drainMs }, "ends");
  server.draining = true;
  if (settings.drainMs > 0) await new Promise((resolve) => setTimeout(resolve, settings.drainMs));
  const closed = app.close();
  // When an answer has been sent, its connection becomes idle. It would otherwise stay open.
  const idle = setInterval(() => app.server.closeIdleConnections(), 20);
  await closed;
  clearInterval(idle);
  await repository.close();
  log.info("ended");
}

async function modelsOf(settings: ServeSettings): Promise<{ sources: Source[]; fixed: Map<string, Served> }> {
  const { models } = settings;
  const fixed = new Map<string, Served>();
  if (typeof models === "string") return { sources: [{ path: models }], fixed };
  if (Array.isArray(models)) return { sources: models.map((path: string) => ({ path })), fixed };
  const sources: Source[] = [];
  for (const [name, model] of Object.entries(models as Record<string, string | ModelAtHand>)) {
    if (typeof model === "string") sources.push({ name, path: model });
    else fixed.set(name, await ofCaller(model, joiningOptions(settings, name)));
  }
  return { sources, fixed };
}

/** Wraps a model object, of which its caller will dispose. */
async function ofCaller(model: ModelAtHand, options: JoiningOptions): Promise<Served> {
  if ("learn" in model) return new LearningModel(model);
  if (model.kind === "onnx") return new OnnxModel(model, await joiningOf(model, options), { owned: false }) as unknown as Served;
  return model.kind === "factorisation" ? (new PairModel(model) as Served) : servedPredictor(model, { owned: false });
}

const joiningOptions = ({ maxBatch, join }: ServeSettings, name: string): JoiningOptions => ({
  maxBatch,
  join: Object.hasOwn(join, name) ? join[name] : undefined,
});

function urlOf({ address, family, port }: AddressInfo, { tls, host }: ServeSettings): string {
  // If the host is a name, it is used unchanged, because certificates are issued for names.
  const known = /^[\d.]+$|:/.test(host) ? (family === "IPv6" ? `[${address}]` : address) : host;
  return `${tls ? "https" : "http"}://${known}:${port}`;
}
