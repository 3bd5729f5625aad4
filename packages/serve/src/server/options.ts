import { createSecureContext } from "node:tls";
import { OptionError } from "ergodic";
import { checkKeys, checkNumber } from "ergodic/extend";
import type { AnyPredictor } from "ergodic/predict";
import type { OnlineLearner } from "../learn/index.ts";
import type { OnnxPredictor } from "../onnx/index.ts";

/**
 * Model object to serve. It is the result of predictor(), fit() or onnxPredictor(), or a learner, which then also
 * learns from requests. The caller disposes of it.
 */
export type ModelAtHand = AnyPredictor | OnnxPredictor | OnlineLearner;

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * Models to serve: a model file, a folder with NAME.safetensors or NAME/VERSION/model.safetensors, a list of these,
   * or files and model objects by name: `{ income: "income.safetensors", digits: await fit(…) }`. With
   * onnxruntime-node, files can also be .onnx.
   */
  models: string | readonly string[] | Readonly<Record<string, string | ModelAtHand>>;
  /** Port to listen on; 0: any free one. Default 8080. */
  port?: number;
  /**
   * Address to listen on. Default "127.0.0.1", which accepts connections only from this machine. "0.0.0.0" or "::"
   * accepts connections from anywhere.
   */
  host?: string;
  /** Number of rows of the largest batch. Default 256. */
  maxBatch?: number;
  /**
   * Longest time in milliseconds for which a request waits for others while one of several workers is free. Default 0.
   */
  maxDelayMs?: number;
  /**
   * Target in milliseconds within which 99 % of requests should be answered. The batch size needed for this target is
   * learned. Default: none.
   */
  targetP99Ms?: number;
  /** Largest number of rows that can wait for a model. Further requests are refused (429). Default 100,000. */
  maxQueueRows?: number;
  /**
   * Timeout in milliseconds for requests that do not have their own timeout. A request that cannot be answered in time
   * is refused (503). Default: Infinity.
   */
  deadlineMs?: number;
  /**
   * Number of threads for each network from a file. With at least one thread, the server's own thread never waits for
   * the network. 0: the network is computed on the server's thread, which is faster for small networks. Linear models
   * and model objects are always computed on the server's thread. Default 1.
   */
  workers?: number;
  /**
   * Largest work per row that a model from a file can need, in multiply-adds. A model that needs more is not served.
   * Default 2e10, which takes about ten seconds. With `workers: 0`, all other requests wait for that long. Infinity for
   * files that you trust.
   */
  maxWork?: number;
  /**
   * Largest memory in bytes that such a model can need in addition to its parameters. Default 1 GiB; Infinity for files
   * that you trust.
   */
  maxMemory?: number;
  /** Number of newest versions of each model that are served. Default 1. */
  versions?: number;
  /**
   * Whether requests to an ONNX model are joined into batches. True joins them without a check, and false never joins
   * them. Given per model name. Default: requests are joined if a check at load time finds that each row is answered as
   * if it were alone.
   */
  join?: Readonly<Record<string, boolean>>;
  /**
   * Treatment of a category level, user or item that a model does not know. With "zero", it is treated as missing and
   * counted. Default "zero".
   */
  unknown?: "zero" | "refuse";
  /** Milliseconds between two scans of the files. A scan loads changed files. Default 2000; Infinity: none. */
  pollMs?: number;
  /**
   * Accepted tokens, at least one. A request must send one of them (`Authorization: Bearer TOKEN`). Health and the page
   * itself need none. Default: no token is required.
   */
  tokens?: readonly string[];
  /** Whether clients are allowed to load and unload models. Default: only if tokens are required. */
  control?: boolean;
  /** Certificate and key in PEM, for HTTPS. */
  tls?: { readonly cert: string; readonly key: string };
  /** Origins of web pages that are allowed to send requests, such as "https://example.org". Default: none. */
  cors?: readonly string[];
  /** Size of the largest body in bytes. Default 16 MiB. */
  maxBodyBytes?: number;
  /**
   * Size of the largest JSON in bytes, in a body or before its binary tensors. While the server reads JSON, all other
   * requests wait: about 10 ms per MiB. Default 2 MiB.
   */
  maxJsonBytes?: number;
  /**
   * Total size in bytes of the bodies of all requests that have not been answered. A request that would exceed it is
   * refused (503). Bodies of at most 64 KiB are not counted. Default 256 MiB, or `maxBodyBytes` if that is larger.
   */
  maxHeldBytes?: number;
  /** Largest number of simultaneous connections. Further connections are closed immediately. Default 10,000. */
  maxConnections?: number;
  /**
   * Milliseconds within which a request must arrive completely, an integer. The time is measured from the start of the
   * connection or from the previous request. A client that reads nothing of its answer for this long is disconnected.
   * Default 30,000.
   */
  requestMs?: number;
  /** Milliseconds that a connection without a request is kept open, an integer. Default 65,000. */
  keepAliveMs?: number;
  /**
   * Milliseconds for which `close` still serves requests while `/v2/health/ready` already returns 503, so that proxies
   * notice the end. Default 0.
   */
  drainMs?: number;
  /**
   * Events to log, one JSON line each: "errors" (errors and changes of models), "requests" (requests as well), or
   * "nothing". Default "errors".
   */
  log?: "nothing" | "errors" | "requests";
  /** Destination of log lines. Default: standard error. */
  logTo?: { write(line: string): unknown };
}

/** Options without a default here. */
type Missing = "targetP99Ms" | "tls" | "maxWork" | "maxMemory";

/** Options with their defaults. */
export type ServeSettings = Required<Omit<ServeOptions, Missing>> & Pick<ServeOptions, Missing>;

const NAMES = [
  "models",
  "port",
  "host",
  "maxBatch",
  "maxDelayMs",
  "targetP99Ms",
  "maxQueueRows",
  "deadlineMs",
  "workers",
  "maxWork",
  "maxMemory",
  "versions",
  "join",
  "unknown",
  "pollMs",
  "tokens",
  "control",
  "tls",
  "cors",
  "maxBodyBytes",
  "maxJsonBytes",
  "maxHeldBytes",
  "maxConnections",
  "requestMs",
  "keepAliveMs",
  "drainMs",
  "log",
  "logTo",
] as const;

/** Checks options and adds their defaults. @throws OptionError if one is unknown or out of its range */
export function checkedOptions(options: ServeOptions): ServeSettings {
  checkKeys("serve", options, NAMES);
  const settings: ServeSettings = {
    port: 8080,
    host: "127.0.0.1",
    maxBatch: 256,
    maxDelayMs: 0,
    maxQueueRows: 100_000,
    deadlineMs: Infinity,
    workers: 1,
    versions: 1,
    join: {},
    unknown: "zero",
    pollMs: 2000,
    tokens: [],
    control: (options.tokens?.length ?? 0) > 0,
    cors: [],
    maxBodyBytes: 2 ** 24,
    maxJsonBytes: 2 ** 21,
    maxHeldBytes: typeof options.maxBodyBytes === "number" ? Math.max(2 ** 28, options.maxBodyBytes) : 2 ** 28,
    maxConnections: 10_000,
    requestMs: 30_000,
    keepAliveMs: 65_000,
    drainMs: 0,
    log: "errors",
    logTo: process.stderr,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  } as unknown as ServeSettings;
  checkModels(settings.models);
  checkJoin(settings.join);
  for (const [name, range] of Object.entries(ranges)) {
    const value = settings[name as keyof typeof ranges];
    if (value === undefined || (value === Infinity && range.endless)) continue;
    checkNumber("serve", name, value, range);
  }
  const { maxBodyBytes, maxHeldBytes } = settings;
  if (maxHeldBytes < maxBodyBytes)
    throw new OptionError(
      "serve",
      `maxHeldBytes is ${maxHeldBytes}, but must be at least maxBodyBytes, ${maxBodyBytes}; increase it, or lower maxBodyBytes`,
      "OPTION_RANGE",
    );
  const { host, unknown, tokens, control, tls, cors, log, logTo } = settings;
  if (typeof host !== "string" || host === "") throw wrong("host", "a name or an address", '"127.0.0.1"');
  if (typeof control !== "boolean") throw wrong("control", "true or false", "true");
  if (Array.isArray(options.tokens) && options.tokens.length === 0)
    throw new OptionError(
      "serve",
      "tokens is empty, so every request would be refused; give a token of 16 or more printable characters, or omit tokens to serve everyone",
      "OPTION_RANGE",
    );
  checkTexts("tokens", tokens, "tokens of 16 or more printable characters", (token) => /^[!-~]{16,512}$/.test(token));
  checkTexts(
    "cors",
    cors,
    'origins such as "https://example.org"',
    (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
  );
  if (tls !== undefined && !(typeof tls?.cert === "string" && typeof tls.key === "string"))
    throw wrong("tls", "{ cert, key }, both strings in PEM", "tls: { cert, key }");
  if (tls !== undefined) checkTls(tls);
  if (!["zero", "refuse"].includes(unknown)) throw wrong("unknown", '"zero" or "refuse"', 'unknown: "refuse"');
  if (!["nothing", "errors", "requests"].includes(log))
    throw wrong("log", '"nothing", "errors" or "requests"', 'log: "requests"');
  if (typeof logTo?.write !== "function")
    throw wrong("logTo", "a stream, or an object with write(line)", "logTo: process.stdout");
  return settings;
}

interface Range {
  readonly low: number;
  readonly high?: number;
  readonly open?: boolean;
  readonly integer?: boolean;
  /** Whether Infinity is allowed. */
  readonly endless?: boolean;
}

/** Longest delay of Node's timers. */
const LONGEST_MS = 2 ** 31 - 1;

const ranges = {
  port: { low: 0, high: 65_535, integer: true },
  maxBatch: { low: 1, integer: true },
  maxDelayMs: { low: 0 },
  targetP99Ms: { low: 0, open: true },
  maxQueueRows: { low: 1, endless: true },
  deadlineMs: { low: 0, open: true, endless: true },
  workers: { low: 0, high: 1024, integer: true },
  maxWork: { low: 0, open: true, endless: true },
  maxMemory: { low: 0, open: true, endless: true },
  versions: { low: 1, integer: true },
  pollMs: { low: 10, high: LONGEST_MS, endless: true },
  maxBodyBytes: { low: 1, high: 2 ** 30, integer: true },
  maxJsonBytes: { low: 1, high: 2 ** 30, integer: true },
  maxHeldBytes: { low: 1, integer: true },
  maxConnections: { low: 1, integer: true },
  requestMs: { low: 1, high: LONGEST_MS, integer: true },
  // Node adds one second to the given time.
  keepAliveMs: { low: 1, high: LONGEST_MS - 1000, integer: true },
  drainMs: { low: 0, high: LONGEST_MS },
} satisfies Partial<Record<keyof ServeSettings, Range>> as Readonly<Record<NumberName, Range>>;

type NumberName =
  | "port"
  | "maxBatch"
  | "maxDelayMs"
  | "targetP99Ms"
  | "maxQueueRows"
  | "deadlineMs"
  | "workers"
  | "maxWork"
  | "maxMemory"
  | "versions"
  | "pollMs"
  | "maxBodyBytes"
  | "maxJsonBytes"
  | "maxHeldBytes"
  | "maxConnections"
  | "requestMs"
  | "keepAliveMs"
  | "drainMs";

function checkModels(models: unknown): void {
  if (typeof models === "string" && models !== "") return;
  const isTexts = Array.isArray(models) && models.length > 0 && models.every((path) => typeof path === "string" && path !== "");
  if (isTexts) return;
  if (Object.prototype.toString.call(models) !== "[object Object]" || Object.keys(models as object).length === 0)
    throw wrong("models", "a path, a list of paths, or models by name", 'models: "income.safetensors"');
  for (const [name, model] of Object.entries(models as object)) {
    if (!/^[^/\s]{1,200}$/.test(name)) throw wrong(`models: ${JSON.stringify(name)}`, "a name without / and spaces", "income");
    if (typeof model === "string" && model !== "") continue;
    if (!isAtHand(model))
      throw wrong(`models.${name}`, "a path, or a result of predictor() or fit()", `{ ${name}: "${name}.safetensors" }`);
  }
}

function checkJoin(join: unknown): void {
  const isObject = Object.prototype.toString.call(join) === "[object Object]";
  if (!isObject || Object.values(join as object).some((value) => typeof value !== "boolean"))
    throw wrong("join", "true or false for each ONNX model that it names", "join: { detector: false }");
}

function isAtHand(model: unknown): model is ModelAtHand {
  const { kind, predict, run, learn, current } = Object(model) as Record<string, unknown>;
  if (typeof learn === "function") return typeof current === "function";
  if (kind === "onnx") return typeof run === "function";
  return ["linear", "network", "trees", "factorisation"].includes(kind as string) && typeof predict === "function";
}

function checkTls({ cert, key }: { cert: string; key: string }): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const said = `tls: ${(cause as Error).message}; give a certificate and its key in PEM`;
    throw new OptionError("serve", said, "OPTION_TYPE", { cause });
  }
}

function checkTexts(name: string, value: unknown, wanted: string, fits: (text: string) => boolean): void {
  if (!(Array.isArray(value) && value.every((text) => typeof text === "string" && fits(text))))
    throw wrong(name, `a list of ${wanted}`, `${name}: […]`);
}

function wrong(name: string, wanted: string, example: string): OptionError {
  return new OptionError("serve", `${name} must be ${wanted}: write ${example}`, "OPTION_TYPE");
}
