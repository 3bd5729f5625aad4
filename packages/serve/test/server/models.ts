/** Small models of each kind, each fitted once, and a server for them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alternatingLeastSquares, Dataset, factorisation, fit, linear, mlp, network, Ratings } from "ergodic";
import { afterAll } from "vitest";
import { type ServeOptions, type Serving, serve } from "../../src/index.ts";

const x = Array.from({ length: 120 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 7) / 7]);

/** Returns the result of the first call with a number. Models do not change, so tests can share them. */
function once<T>(make: (number: number) => PromiseLike<T>): (number?: number) => Promise<T> {
  const made = new Map<number, Promise<T>>();
  return (number = 2) => {
    if (!made.has(number)) made.set(number, Promise.resolve(make(number)));
    return made.get(number)!;
  };
}

/** y = 2a − b + 3c + 1, with columns a, b, c. Another number in place of 2 makes another model. */
export const regression = once((slope) =>
  fit(
    linear({ loss: "squared" }),
    Dataset.fromArrays({ x, y: x.map(([a, b, c]) => slope * a - b + 3 * c + 1), names: ["a", "b", "c"], type: "f64" }),
    { epochs: 200, seed: 1, deterministic: true, precision: "f64" },
  ),
);

const classOf = ([a, b]: number[]): string => (a > 0.3 ? "high" : b > 0 ? "low" : "none");

/** Three classes. */
export const classifier = once(() =>
  fit(linear({ loss: "multinomial" }), Dataset.fromArrays({ x, y: x.map(classOf), names: ["a", "b", "c"] }), {
    epochs: 20,
    seed: 1,
    deterministic: true,
  }),
);

/** Two classes decided by sign. */
export const margin = once(() =>
  fit(linear({ loss: "hinge" }), Dataset.fromArrays({ x, y: x.map(([a]) => (a > 0 ? "yes" : "no")), names: ["a", "b", "c"] }), {
    epochs: 20,
    seed: 1,
    deterministic: true,
  }),
);

export const net = once(() =>
  fit(network(mlp([8], { outputs: 3 })), Dataset.fromArrays({ x, y: x.map(classOf), names: ["a", "b", "c"] }), {
    epochs: 5,
    seed: 1,
    deterministic: true,
  }),
);

/** A table with a category column. */
export const table = once(() =>
  fit(
    linear({ loss: "logistic" }),
    Dataset.fromTable(
      {
        rowCount: 60,
        source: "people",
        columns: [
          { kind: "number", name: "age", values: Float64Array.from({ length: 60 }, (_, i) => 20 + i) },
          { kind: "category", name: "city", levels: ["Rome", "Zürich"], codes: Int32Array.from({ length: 60 }, (_, i) => i % 2) },
          {
            kind: "category",
            name: "rich",
            levels: ["no", "yes"],
            codes: Int32Array.from({ length: 60 }, (_, i) => Number(i > 30)),
          },
        ],
      },
      { target: "rich" },
    ),
    { epochs: 20, seed: 1, deterministic: true },
  ),
);

export const ratings = once(() => {
  const users = ["anna", "anna", "ben", "ben", "cleo"];
  const items = ["emma", "dune", "emma", "ulysses", "dune"];
  const data = Ratings.fromTriples({ users, items, values: [5, 3, 4, 1, 2] });
  return fit(factorisation({ rank: 2 }), data, { algorithm: alternatingLeastSquares(), epochs: 5, seed: 1, deterministic: true });
});

/** A server on a free port that logs nothing. It is closed when the test file ends. */
export async function serving(options: ServeOptions): Promise<Serving> {
  const server = await serve({ port: 0, log: "nothing", pollMs: Infinity, ...options });
  afterAll(() => server.close());
  return server;
}

/** Makes a folder for the test file, which is removed at the end. */
export function temporary(): (...names: string[]) => string {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-serve-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}

/** POSTs JSON, or bytes with the number of JSON bytes among them. */
export async function post(
  url: string,
  body: object | string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(url, { method: "POST", body: raw ? (body as string) : JSON.stringify(body), headers });
  return answerOf(response);
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a server sends is known by the test alone
  json: any;
  /** Bytes after the JSON. */
  bytes: Buffer;
}

export async function answerOf(response: Response): Promise<Answer> {
  const all = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get("inference-header-content-length") ?? all.length);
  const { status, headers } = response;
  return { status, headers, json: JSON.parse(all.subarray(0, length).toString() || "null"), bytes: all.subarray(length) };
}

export const get = async (url: string, headers: Record<string, string> = {}): Promise<Answer> =>
  answerOf(await fetch(url, { headers }));
