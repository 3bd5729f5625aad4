import { createSecureContext } from "node:tls";
import { OptionError } from "ergodic";
import { checkKeys, checkNumber } from "ergodic/extend";
import type { AnyPredictor } from "ergodic/predict";
import type { OnlineLearner } from "../learn/index.ts";
import type { OnnxPredictor } from "../onnx/index.ts";

/** What predictor(), fit() or onnxPredictor() gave, or a learner, which then learns from requests as well; the caller disposes of it. */
export type ModelAtHand = AnyPredictor | OnnxPredictor | OnlineLearner;

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * What is served: a file of a model, a folder with NAME.safetensors or NAME/VERSION/model.safetensors, a list of these, or by name files and predictors that
   * are at hand: `{ income: "income.safetensors", digits: await fit(…) }`. Files may be .onnx as well, with onnxruntime-node.
   */
  models: string | readonly string[] | Readonly<Record<string, string | ModelAtHand>>;
  /** The port; 0: any that is free. Default 8080. */
  port?: number;
  /** The address to listen on. Default "127.0.0.1": this machine alone; "0.0.0.0" or "::" for all. */
  host?: string;
  /** Rows of the largest batch. Default 256. */
  maxBatch?: number;
  /** The longest wait for other requests while one of several workers is free, in milliseconds. Default 0. */
  maxDelayMs?: number;
  /** Learns the size of batches with which 99 % of requests are answered within so many milliseconds. Default: none. */
  targetP99Ms?: number;
  /** Rows that may wait for a model; beyond them requests are refused (429). Default 100,000. */
  maxQueueRows?: number;
  /** Milliseconds within which a request without a timeout of its own must be answered, or is refused (503). Default: Infinity. */
  deadlineMs?: number;
  /**
   * Threads of each network that comes from a file, so that the server never waits for it; 0: it is computed on the server's thread, which is faster for small ones.
   * Linear models and predictors that are at hand always are. Default 1.
   */
  workers?: number;
  /**
   * Most work of a row, in multiply-adds, for a model that comes from a file. A model that takes more is not served. Default 2e10, some ten seconds; with
   * `workers: 0` all requests wait that long. Infinity for files that you trust.
   */
  maxWork?: number;
  /** Most bytes of memory that such a model may take besides its numbers. Default 1 GiB; Infinity for files that you trust. */
  maxMemory?: number;
  /** The newest versions of each model that are served. Default 1. */
  versions?: number;
  /**
   * ONNX models whose requests are put together in one batch without a check (true) or never (false), by name. Default: those that a check at load finds to
   * answer each row as if it were alone.
   */
  join?: Readonly<Record<string, boolean>>;
  /**
   * What becomes of a level of a category, or a user or item, that a model does not know: it is taken for none and counted, or the request is refused (400). Default "zero".
   */
  unknown?: "zero" | "refuse";
  /** Milliseconds between two looks at the files, which load what has changed. Default 2000; Infinity: none. */
  pollMs?: number;
  /** Tokens of which a request must bring one (`Authorization: Bearer TOKEN`); at least one. Health and the page itself take none. Default: no token is asked for. */
  tokens?: readonly string[];
  /** Whether clients may load and unload models. Default: where tokens are asked for. */
  control?: boolean;
  /** Certificate and key in PEM, for HTTPS. */
  tls?: { readonly cert: string; readonly key: string };
  /** Origins whose pages may ask, such as "https://example.org". Default: none. */
  cors?: readonly string[];
  /** Bytes of the largest body. Default 16 MiB. */
  maxBodyBytes?: number;
  /** Connections at once; more are closed at once. Default 10,000. */
  maxConnections?: number;
  /** Milliseconds within which a request must have come in whole, from the connection or the request before on, an integer. Default 30,000. */
  requestMs?: number;
  /** Milliseconds that a connection without a request is kept, an integer. Default 65,000. */
  keepAliveMs?: number;
  /** Milliseconds that `close` still serves while `/v2/health/ready` says 503 already, for proxies to notice. Default 0. */
  drainMs?: number;
  /** What is logged, one line of JSON each: "errors" (and what happens to models), "requests" as well, or "nothing". Default "errors". */
  log?: "nothing" | "errors" | "requests";
  /** Where log lines go. Default: standard error. */
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
  "maxConnections",
  "requestMs",
  "keepAliveMs",
  "drainMs",
  "log",
  "logTo",
] as const;

/** @throws OptionError if one is unknown or out of its range */
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
  const { host, unknown, tokens, control, tls, cors, log, logTo } = settings;
  if (typeof host !== "string" || host === "") throw wrong("host", "a name or an address", '"127.0.0.1"');
  if (typeof control !== "boolean") throw wrong("control", "true or false", "true");
  if (Array.isArray(options.tokens) && options.tokens.length === 0)
    throw new OptionError(
      "serve",
      "tokens is empty, so that no request could bring one; give a token of 16 or more printable characters, or omit tokens to serve all who ask",
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
    throw wrong("tls", "{ cert, key }, both texts in PEM", "tls: { cert, key }");
  if (tls !== undefined) checkTls(tls);
  if (!["zero", "refuse"].includes(unknown)) throw wrong("unknown", '"zero" or "refuse"', 'unknown: "refuse"');
  if (!["nothing", "errors", "requests"].includes(log))
    throw wrong("log", '"nothing", "errors" or "requests"', 'log: "requests"');
  if (typeof logTo?.write !== "function") throw wrong("logTo", "a stream, or what has write(line)", "logTo: process.stdout");
  return settings;
}

interface Range {
  readonly low: number;
  readonly high?: number;
  readonly open?: boolean;
  readonly integer?: boolean;
  /** Infinity will do. */
  readonly endless?: boolean;
}

/** The longest delay of Node's timers. */
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
  maxConnections: { low: 1, integer: true },
  requestMs: { low: 1, high: LONGEST_MS, integer: true },
  // Node keeps it for a second more than it says.
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
      throw wrong(`models.${name}`, "a path, or what predictor() or fit() gave", `{ ${name}: "${name}.safetensors" }`);
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
  return ["linear", "network", "factorisation"].includes(kind as string) && typeof predict === "function";
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
