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
  maxConnections?: number;
  requestTime?: number;
  drain?: number;
  log?: "nothing" | "errors" | "requests";
}

export function add(program: Command, terminal: Terminal): void {
  const models = program
    .command("serve")
    .description("serve models over HTTP, by the Open Inference Protocol (KServe V2)")
    .argument(
      "<MODELS...>",
      "files that train, path or recommend wrote, or folders with NAME.safetensors or NAME/VERSION/model.safetensors",
    )
    .option("--port <n>", "listen here; 0: any port that is free (default: 8080)", whole(0, 65_535))
    .option("--host <address>", "listen on this address; 0.0.0.0: on all (default: 127.0.0.1)")
    .optionsGroup("Batches:")
    .option("--max-batch <rows>", "rows of the largest batch (default: 256)", whole(1))
    .option("--max-delay <time>", "the longest wait for other requests while a worker is free: 2ms (default: 0)", milliseconds)
    .option("--target-p99 <time>", "learn the size of batches that answers 99 % of requests within this: 10ms", milliseconds)
    .option("--max-queue <rows>", "rows that may wait; more are refused with 429 (default: 100000)", whole(1))
    .option("--deadline <time>", "refuse with 503 what cannot be answered within this (default: none)", milliseconds)
    .optionsGroup("Models:")
    .option("--workers <n>", "threads of each network; 0: it runs on the server's own (default: 1)", whole(0, 1024))
    .option("--versions <n>", "newest versions of each model that are served (default: 1)", whole(1))
    .option("--join <names>", "ONNX models whose requests are put into one batch without a check, separated by commas", namesOf)
    .option("--apart <names>", "ONNX models whose requests run one by one, whatever a check would find", namesOf)
    .option(
      "--unknown <how>",
      "levels of categories, users and items that training did not meet: zero (counted, the default), or refuse",
      oneOf("zero", "refuse"),
    )
    .option("--poll <time>", "look so often for files that changed; 0: never (default: 2s)", milliseconds)
    .option("--learn <folder>", "learn from POST /v2/models/M/learn as well, and keep what is learnt here; MODELS are files")
    .option("--control", "let clients load and unload models (default: where a token is asked for)")
    .option("--no-control", "let no client do so");
  const command = addLimitOptions(models)
    .optionsGroup("Safety:")
    .option("--token-file <file>", "ask for one of the tokens in this file, one a line")
    .option("--tls-cert <file>", "serve HTTPS with this certificate (PEM)")
    .option("--tls-key <file>", "its key (PEM)")
    .option("--cors <origins>", "let pages of these origins ask: https://example.org,…", namesOf)
    .option("--max-body <size>", "the largest body: 16M (default), 512K", size)
    .option("--max-connections <n>", "connections at once (default: 10000)", whole(1))
    .option("--request-time <time>", "a request must come in whole within this (default: 30s)", milliseconds)
    .optionsGroup("Running:")
    .option("--drain <time>", "at the end, serve on for so long while readiness says 503 (default: 0)", milliseconds)
    .option(
      "--log <what>",
      "nothing, errors or requests: lines of JSON on standard error (default: errors)",
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
      `${tlsCert === undefined ? "--tls-cert" : "--tls-key"} is missing; HTTPS takes a certificate and its key`,
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

/** Refuses folders, because a learner begins with one model and writes its own versions. */
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
      `${learn} is a file, but must be a folder for what is learnt; name one that is there, or a new one`,
    );
}

/** Files by model name, which is also the name of the model's folder. */
function byName(models: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const path of models) {
    const name = basename(path, extname(path));
    if (Object.hasOwn(named, name))
      throw new UsageError("serve", `${named[name]} and ${path} are both called ${name}; name one of the files otherwise`);
    named[name] = path;
  }
  return named;
}

const PEM = "give a file in PEM form, which begins with -----BEGIN";

async function tokensOf(path: string): Promise<string[]> {
  const tokens = (await textOf(path, "write one token a line: openssl rand -hex 32")).split(/\r?\n/).map((line) => line.trim());
  const found = tokens.filter((line) => line !== "" && !line.startsWith("#"));
  if (found.length > 0) return found;
  throw new DataError(path, "holds no token; write one a line, of 16 characters or more: openssl rand -hex 32", "DATA_EMPTY");
}

async function textOf(path: string, advice: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: Error) => {
    throw new DataError(path, `cannot be read (${cause.message}); ${advice}`, "FILE_READ", { cause });
  });
}
