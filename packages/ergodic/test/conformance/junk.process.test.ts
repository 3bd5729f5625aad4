/**
 * Junk as arguments of every exported function and class: wrong types, proxies, detached arrays, deep and cyclic
 * objects. A call is accepted, fails with the junk's own error, or fails with an error of ours that has a code. Only
 * this test finds a TypeError from inside the library that a caller in plain JavaScript would see.
 */
import * as ingest from "@ergodic/ingest";
import * as plots from "@ergodic/plots";
import * as serve from "@ergodic/serve";
import * as ergodic from "ergodic";
import * as calibration from "ergodic/calibration";
import * as compiler from "ergodic/compiler";
import * as data from "ergodic/data";
import * as diagnostics from "ergodic/diagnostics";
import * as explain from "ergodic/explain";
import * as extend from "ergodic/extend";
import * as predict from "ergodic/predict";
import { expect, test } from "vitest";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import { stream } from "../../src/engine/random/stream.ts";

const entries = { ergodic, predict, extend, data, diagnostics, compiler, calibration, explain, ingest, serve, plots };
/** Calls per function. */
const CALLS = 24;
/** Functions with effects on files or threads for any arguments. */
const omitted = new Set(["openEngine", "writeWhole", "writeDrawsArrow", "configure", "writeTogether", "checkWritable"]);

const OWN = "the junk's own error";
const own = (): never => {
  throw new Error(OWN);
};
const detached = (): Float64Array => {
  const array = new Float64Array([1, 2, 3]);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};
const deep = (): unknown[] => {
  let list: unknown[] = [];
  for (let i = 0; i < 20_000; i++) list = [list];
  return list;
};
const cyclic = (): object => {
  const object: Record<string, unknown> = {};
  object.self = object;
  return object;
};
const LONG = 2 ** 32;

const junk: readonly (() => unknown)[] = [
  ...[null, undefined, true, "", "x", "__proto__", -1, -0, 0.5, Number.NaN, Infinity, 2 ** 53, 1e300].map((x) => () => x),
  ...[5n, Symbol("s"), /x/g, new Date(Number.NaN), Object.create(null) as object].map((x) => () => x),
  () => new Proxy({}, { get: own, ownKeys: own, has: own }),
  () => new Proxy([], { get: (_, key) => (key === "length" ? LONG : undefined) }),
  () => Object.defineProperty({}, "seed", { enumerable: true, get: own }),
  () => ({ toString: own, valueOf: own, toJSON: own }),
  () => own,
  () => () => Promise.reject(new Error(OWN)),
  () => async () => 1,
  () => AbortSignal.abort(),
  detached,
  deep,
  cyclic,
  () => new Float64Array(new SharedArrayBuffer(24)),
  () => new BigInt64Array(2),
  () => new DataView(new ArrayBuffer(8)),
  () => new Uint8Array(10),
  () => [],
  () => ({}),
  () => [[]],
  () => [null],
  () => [1, 2, 3],
  () => Object.freeze([1, 2, 3]),
  () => new Array<number>(3),
  () => new Map([["a", 1]]),
  () => new Set([1]),
  () => new WeakMap(),
  () => new Blob(["x"]),
  () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  () => ({ name: "a.csv", content: "a,y\n1,2\n" }),
];

type AnyFunction = (...given: unknown[]) => unknown;
const isClass = (f: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(f));

/** All exported functions and static methods, by entry and name. */
function* functionsOf(entry: string, module: object): Generator<[name: string, call: AnyFunction]> {
  for (const [name, f] of Object.entries(module)) {
    if (typeof f !== "function" || omitted.has(name)) continue;
    const call = isClass(f) ? (...given: unknown[]) => Reflect.construct(f, given) as unknown : (f as AnyFunction);
    yield [`${entry}: ${name}`, call];
    const members = Object.entries(Object.getOwnPropertyDescriptors(f)).filter(([key]) => key !== "prototype");
    for (const [key, { value }] of members)
      if (typeof value === "function") yield [`${entry}: ${name}.${key}`, (value as AnyFunction).bind(f)];
  }
}

/** Awaits a promise, but not longer than runs need to refuse their arguments. */
async function settled(result: unknown): Promise<void> {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 200);
  });
  await Promise.race([Promise.resolve(result), late]).finally(() => clearTimeout(timer));
  (result as { stop?: () => void }).stop?.();
}

test("junk is accepted, fails with its own error, or is refused with a code", async () => {
  const failures = new Set<string>();
  let calls = 0;
  for (const [entry, module] of Object.entries(entries)) {
    for (const [name, call] of functionsOf(entry, module)) {
      const draws = stream(1, "junk", name);
      for (let k = 0; k < CALLS; k++, calls++) {
        const at = draws.at(k);
        const places = Array.from({ length: Math.floor(at.uniform() * 4) }, () => Math.floor(at.uniform() * junk.length));
        const given = places.map((i) => junk[i]());
        try {
          await settled(call(...given));
        } catch (error) {
          const isOurs = error instanceof ErgodicError || error === given.find((one) => one === error);
          if (!isOurs && !String((error as Error | undefined)?.message).includes(OWN))
            failures.add(`${name}(${places.join(", ")}): ${String((error as Error | undefined)?.stack).slice(0, 300)}`);
        }
      }
    }
  }
  expect([...failures]).toEqual([]);
  expect(calls).toBeGreaterThan(1500);
}, 120_000);
