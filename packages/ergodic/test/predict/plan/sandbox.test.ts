/**
 * Untrusted plans read and write only their own memory, end their calls, and fail with typed errors. The tests use a
 * shared memory full of canaries, so that the checks alone must suffice. Plans are damaged by structure: each number,
 * name and kind in turn is replaced by a hostile one.
 */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { ErgodicError } from "../../../src/engine/errors/errors.ts";
import type { ArrayPlan } from "../../../src/engine/memory/array-plan.ts";
import type { Engine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { NetworkPlan } from "../../../src/predict/plan/network-plan.ts";
import { begin, reportMemory } from "../../fuzz/cost.ts";
import { power } from "../../power.ts";
import { GuardedMachine } from "../guarded-machine.ts";
import { type SavedPlan, savedPlans } from "../plans.ts";

const ROWS = 3;
const MAX_WORK = 1e7;
const NAMES = Object.keys(savedPlans);
/** `npm run fuzz -- plans` sets the total number of cases and the first seed. */
const { ERGODIC_FUZZ_CASES, ERGODIC_FUZZ_SEED = "3" } = process.env;
/** Cases per plan. */
const CASES = ERGODIC_FUZZ_CASES === undefined ? power(100, 200) : Math.ceil(Number(ERGODIC_FUZZ_CASES) / NAMES.length);
/** Each case is computed twice. */
const SECONDS = 2 * 2;

type Path = readonly (string | number)[];
const HOSTILE: readonly unknown[] = [
  ...[-1, -5000, 0, 1, 7, 64, 0.5, 2 ** 20, 2 ** 31, -(2 ** 31), 2 ** 32 - 4, 2 ** 53, -(2 ** 53), 1e15, 1e300],
  ...[null, true, "", "length", "__proto__", "constructor", "toString", "NaN", "1e9", "-Infinity", [], {}, [1, 2]],
  ...[
    { B: 1, plus: 0 },
    { B: -4, plus: 400 },
    { B: 2 ** 40, plus: 0 },
    { B: 1, plus: "x" },
    { B: 0.5, plus: 1 },
  ],
];
const KERNELS = ["zero", "copy", "randomFill", "descend", "elementwise", "gemm", "gatherRows", "cholesky", "nutsRun"];
const KERNEL_NAMES = [...KERNELS, "__proto__", "constructor", "hasOwnProperty", "convolution", "scatterRows", "networkGradient"];
const BUFFERS = ["x", "z", "w", "constant 0", "carry 0", "next 0", "over 0", "output 0", "__proto__", "constructor"];

/** Paths to all leaves and branches of the plan. */
function placesIn(x: unknown, at: Path = []): Path[] {
  if (typeof x !== "object" || x === null) return [at];
  return [at, ...Object.entries(x).flatMap(([key, value]) => placesIn(value, [...at, Array.isArray(x) ? Number(key) : key]))];
}

const atPath = (x: unknown, path: Path): unknown => path.reduce((inner, key) => (inner as Record<string, unknown>)[key], x);

function replaced(plan: ArrayPlan, path: Path, value: unknown): ArrayPlan {
  const copy = structuredClone(plan);
  (atPath(copy, path.slice(0, -1)) as Record<string, unknown>)[path.at(-1)!] = value;
  return copy;
}

/** A replacement for the value at a path, of the same kind if the structure has kinds. */
function hostileFor(plan: ArrayPlan, path: Path, pick: (count: number) => number): unknown {
  const key = path.at(-1);
  const found = atPath(plan, path);
  const one = <T>(list: readonly T[]): T => list[pick(list.length)];
  if (key === "kernel") return one(KERNEL_NAMES);
  if (key === "name") return one(BUFFERS);
  // Pointers as numbers, and numbers as pointers.
  if (typeof found === "object" && found !== null && "kind" in found && path.at(-2) === "args")
    return one([
      { kind: "number", value: one([2 ** 20, 64, 0, -4]) },
      { kind: "float", value: "1048576" },
      { kind: "value", value: one([0, 1, 2, -1, 1e9]), offset: one([0, -5000, 1, 2 ** 30]) },
      { kind: "scratch", bytes: one([0, 16, 2 ** 40]) },
      { kind: "indices", values: [] },
      { kind: "numbers", values: ["1", "2"] },
    ]);
  // Range checks must detect slightly larger or smaller values.
  const kind = pick(3);
  if (typeof found === "number" && kind === 0) return found + one([-1, 1, 2, 16, -16, 1000]);
  if (typeof found === "number" && kind === 1) return pick(4);
  return one(HOSTILE);
}

interface Outcome {
  readonly error?: string;
  readonly z?: readonly number[];
}

/** The answer or the error of a plan. Errors of other types are rethrown. */
function outcome(on: Engine, plan: ArrayPlan, { numbers, width }: SavedPlan, apart: boolean): Outcome {
  const x = Float32Array.from({ length: ROWS * width }, (_, i) => Math.sin(i));
  const others = x.map((value) => 3 - 5 * value);
  try {
    using made = new NetworkPlan(on, plan, numbers, { where: "hostile", apart, maxWork: MAX_WORK });
    const z = [...(made.run({ x }, ROWS).z ?? [])];
    // Computations for other rows in between must not affect the answer.
    made.run({ x: others }, ROWS);
    expect([...(made.run({ x }, ROWS).z ?? [])], JSON.stringify(plan)).toEqual(z);
    return { z };
  } catch (error) {
    if (!(error instanceof ErgodicError)) throw error;
    return { error: error.message };
  }
}

describe("plans confined to their memory, even to a shared one", () => {
  it.each(NAMES)("stay within their memory: %s", async (name) => {
    const saved = savedPlans[name];
    const guarded = await GuardedMachine.open();
    const { at } = stream(Number(ERGODIC_FUZZ_SEED), "hostile", name);
    const draws = at(0);
    const pick = (count: number): number => Math.floor(draws.uniform() * count);
    const places = placesIn(saved.plan).filter((path) => path.length > 0);
    const tally = { refused: 0, ran: 0 };
    const valid = outcome(guarded.engine, saved.plan, saved, false);
    expect(valid.error).toBe(undefined);
    for (let i = 0; i < CASES; i++) {
      let plan = saved.plan;
      for (let n = pick(4) === 0 ? 2 : 1; n > 0; n--) {
        const path = places[pick(places.length)];
        try {
          plan = replaced(plan, path, hostileFor(saved.plan, path, pick));
        } catch {
          // An earlier change removed this path.
        }
      }
      const cost = begin({ seconds: SECONDS });
      const found = [0x11, 0xc7].map((canary) => {
        guarded.fill(canary);
        const result = outcome(guarded.engine, plan, saved, false);
        const touched = guarded.touched();
        if (touched.length > 0) expect(touched, JSON.stringify(plan)).toEqual([]);
        return result;
      });
      const tooMuch = cost();
      if (tooMuch) expect(tooMuch, JSON.stringify(plan)).toBe(undefined);
      if (!isDeepStrictEqual(found[0], found[1])) expect(found[1], JSON.stringify(plan)).toEqual(found[0]);
      tally[found[0].error === undefined ? "ran" : "refused"]++;
    }
    reportMemory();
    // A small sample can have any outcome.
    if (CASES < 100) return;
    expect(tally.refused).toBeGreaterThan(CASES / 4);
    expect(tally.ran).toBeGreaterThan(CASES / 40);
  });
});
