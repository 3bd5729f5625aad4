/**
 * `ergodic serve DIR|MODEL…`: serves models over HTTP with the Open Inference Protocol until it is interrupted.
 * Accepted requests are then still answered.
 *
 * The server package is loaded only when needed, so other commands do not wait for it.
 */
import { readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { OnlineLearner, ServeOptions } from "@ergodic/serve";
import type { Command } from "commander";
import { DataError } from "ergodic";
import { UsageError } from "../errors.ts";
import { given } from "../options/given.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { milliseconds, oneOf, size, whole } from "../options/number.ts";
import type { Terminal } from "../terminal.ts";

interface Options extends LimitOptions {
  port?: number;
  host?: string;
  maxBatch?: number;
  maxDelay?: number;
  targetP99?: number;
  maxQueue?: number;
  deadline?: number;
  learn?: string;
  workers?: number;
  versions?: number;
  join?: string[];
  apart?: string[];
  unknown?: "zero" | "refuse";
  poll?: number;
  control?: boolean;
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  cors?: string[];
  maxBody?: number;
  maxJson?: number;
  maxHeld?: number;
  maxConnections?: number;
  requestTime?: number;
  drain?: number;
  log?: "nothing" | "errors" | "requests";
}

export function add(program: Command, terminal: Terminal): void {
  const models = program
    .command("serve")
    .description("serve models over HTTP with the Open Inference Protocol (KServe V2)")
    .argument(
      "<MODELS...>",
      "model files written by train, path or recommend, models of XGBoost or LightGBM, or folders with NAME.safetensors or NAME/VERSION/model.safetensors",
    )
    .option("--port <n>", "port to listen on; 0: any free port (default: 8080)", whole(0, 65_535))
    .option("--host <address>", "address to listen on; 0.0.0.0: all addresses (default: 127.0.0.1)")
    .optionsGroup("Batches:")
    .option("--max-batch <rows>", "number of rows of the largest batch (default: 256)", whole(1))
    .option(
      "--max-delay <time>",
      "longest wait for other requests while a worker is free, such as 2ms (default: 0)",
      milliseconds,
    )
    .option(
      "--target-p99 <time>",
      "adapt the batch size so that 99 % of requests are answered within this time, such as 10ms",
      milliseconds,
    )
    .option(
      "--max-queue <rows>",
      "largest number of waiting rows; further requests are refused with 429 (default: 100000)",
      whole(1),
    )
    .option(
      "--deadline <time>",
      "refuse requests with 503 if they cannot be answered within this time (default: none)",
      milliseconds,
    )
    .optionsGroup("Models:")
    .option("--workers <n>", "threads per network; 0: run networks on the server's own thread (default: 1)", whole(0, 1024))
    .option("--versions <n>", "number of newest versions to serve per model (default: 1)", whole(1))
    .option("--join <names>", "ONNX models whose requests are joined into a batch without a check, separated by commas", namesOf)
    .option("--apart <names>", "ONNX models whose requests are never joined into a batch, separated by commas", namesOf)
    .option(
      "--unknown <how>",
      "category levels, users and items not in the training data: zero (encoded as zeros and counted; the default) or refuse",
      oneOf("zero", "refuse"),
    )
    .option("--poll <time>", "time between checks for changed files; 0: no checks (default: 2s)", milliseconds)
    .option(
      "--learn <folder>",
      "also learn from POST /v2/models/M/learn, and save learnt models in this folder; MODELS must be files",
    )
    .option("--control", "let clients load and unload models (default: if a token is required)")
    .option("--no-control", "do not let clients load and unload models");
  const command = addLimitOptions(models)
    .optionsGroup("Safety:")
    .option("--token-file <file>", "require one of the tokens in this file, one per line")
    .option("--tls-cert <file>", "serve HTTPS with this certificate (PEM)")
    .option("--tls-key <file>", "key of the certificate (PEM)")
    .option("--cors <origins>", "origins whose pages can send requests: https://example.org,…", namesOf)
    .option("--max-body <size>", "largest request body: 16M (default), 512K", size)
    .option("--max-json <size>", "largest JSON in a request: 2M (default), 512K; binary tensors can be larger", size)
    .option("--max-held <size>", "largest total size of the bodies of unanswered requests (default: 256M)", size)
    .option("--max-connections <n>", "largest number of simultaneous connections (default: 10000)", whole(1))
    .option(
      "--request-time <time>",
      "time within which a request must arrive, and its client must read (default: 30s)",
      milliseconds,
    )
    .optionsGroup("Running:")
    .option(
      "--drain <time>",
      "at shutdown, continue to serve for this time while readiness returns 503 (default: 0)",
      milliseconds,
    )
    .option(
      "--log <what>",
      "events to log as JSON lines on standard error: nothing, errors or requests (default: errors)",
      oneOf("nothing", "errors", "requests"),
    );
  command.action((models: string[], options: Options) => run(models, options, terminal));
}

async function run(models: string[], options: Options, terminal: Terminal): Promise<void> {
  const { learn, tokenFile, tlsCert, tlsKey, port, host, maxBatch, workers, versions, control, cors, maxConnections, log } =
    options;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError(
      "serve",
      `${tlsCert === undefined ? "--tls-cert" : "--tls-key"} is missing; HTTPS needs a certificate and its key`,
    );
  const asked = {
    ...limitsOf(options),
    join: joinOf(options),
    unknown: options.unknown,
    ...{ models, port, host, maxBatch, workers, versions, control, cors, maxConnections, log },
    maxDelayMs: options.maxDelay,
    targetP99Ms: options.targetP99,
    maxQueueRows: options.maxQueue,
    deadlineMs: options.deadline,
    pollMs: options.poll === 0 ? Infinity : options.poll,
    tokens: tokenFile === undefined ? undefined : await tokensOf(tokenFile),
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { cert: await textOf(tlsCert, PEM), key: await textOf(tlsKey, PEM) },
    maxBodyBytes: options.maxBody,
    maxJsonBytes: options.maxJson,
    maxHeldBytes: options.maxHeld,
    requestMs: options.requestTime,
    drainMs: options.drain,
    logTo: { write: (line: string) => terminal.note(line.trimEnd()) },
  };
  let end = (): void => {};
  const wanted = new Promise<void>((resolve) => {
    end = resolve;
  });
  const release = terminal.onInterrupt(end);
  const learners: Record<string, OnlineLearner> = {};
  try {
    const { serve, openLearner } = await import("@ergodic/serve");
    if (learn !== undefined) {
      await refuseFolders(models);
      await refuseFile(learn);
    }
    for (const [name, model] of Object.entries(learn === undefined ? {} : byName(models)))
      learners[name] = await openLearner({ model, folder: join(learn!, name) });
    const server = await serve({ ...given(asked), ...(learn === undefined ? {} : { models: learners }) } as ServeOptions);
    terminal.out(`${server.url}\n`);
    await wanted;
    await server.close();
  } finally {
    release();
    for (const learner of Object.values(learners)) await learner.close();
  }
}

const namesOf = (text: string): string[] => text.split(",").map((name) => name.trim());

/** Builds the server's option `join` from --join and --apart. */
function joinOf({ join = [], apart = [] }: Options): Record<string, boolean> | undefined {
  if (join.length === 0 && apart.length === 0) return undefined;
  const both = join.find((name) => apart.includes(name));
  if (both !== undefined) throw new UsageError("serve", `${both} is in both --join and --apart; leave it out of one`);
  return Object.fromEntries([...join.map((name) => [name, true]), ...apart.map((name) => [name, false])]);
}

/** Refuses folders, because a learner starts from the file of a single model and writes the later versions itself. */
async function refuseFolders(models: readonly string[]): Promise<void> {
  for (const path of models)
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      throw new UsageError(
        "serve",
        `${path} is a folder, but --learn takes files; name the model: ${join(path, "NAME.safetensors")}`,
      );
}

/** The learner's destination must be a folder or must not exist yet. */
async function refuseFile(learn: string): Promise<void> {
  const found = await stat(learn).catch(() => undefined);
  if (found && !found.isDirectory())
    throw new UsageError(
      "--learn",
      `${learn} is a file, but must be a folder for learnt models; name an existing or a new folder`,
    );
}

/** Files by model name, which is also the name of the model's folder. */
function byName(models: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const path of models) {
    const name = basename(path, extname(path));
    if (Object.hasOwn(named, name))
      throw new UsageError("serve", `${named[name]} and ${path} are both called ${name}; rename one of the files`);
    named[name] = path;
  }
  return named;
}

const PEM = "give a file in PEM form, which begins with -----BEGIN";

async function tokensOf(path: string): Promise<string[]> {
  const tokens = (await textOf(path, "write one token per line: openssl rand -hex 32")).split(/\r?\n/).map((line) => line.trim());
  const found = tokens.filter((line) => line !== "" && !line.startsWith("#"));
  if (found.length > 0) return found;
  throw new DataError(path, "holds no token; write one per line, of 16 characters or more: openssl rand -hex 32", "DATA_EMPTY");
}

async function textOf(path: string, advice: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: Error) => {
    throw new DataError(path, `cannot be read (${cause.message}); ${advice}`, "FILE_READ", { cause });
  });
}
