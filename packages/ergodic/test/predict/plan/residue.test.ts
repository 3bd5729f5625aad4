/**
 * The answers of a plan depend only on its rows, whatever the file contains. Plans that leave parts of their memory
 * unwritten run on cleared memory.
 */
import { describe, expect, it } from "vitest";
import { type ArrayPlan, type PlanStep, planAt } from "../../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { buffersOf } from "../../../src/predict/plan/buffers.ts";
import { NetworkPlan } from "../../../src/predict/plan/network-plan.ts";
import { showsResidue } from "../../../src/predict/plan/residue.ts";
import { savedPlans } from "../plans.ts";

const engine = await openEngine();
const shows = (plan: ArrayPlan, rows: number): boolean => showsResidue(planAt(plan, rows), buffersOf(plan), rows, 4);

it.each(Object.entries(savedPlans))("the saved %s reveals nothing", (_, { plan }) => {
  for (const rows of [1, 2, 64]) expect(shows(plan, rows)).toBe(false);
});

it("remembers up to a thousand separate parts of a buffer, and assumes a leak beyond", () => {
  const inParts = (count: number): ArrayPlan => {
    const all = Array.from({ length: 2 * count }, (_, at) => at);
    const z = all.map((offset) => ({ size: 1, home: { kind: "buffer" as const, name: "z", offset } }));
    // Writes every second part first.
    const order = [...all.filter((at) => at % 2 === 0), ...all.filter((at) => at % 2 === 1)];
    return { version: 1, precision: "f32", values: z, steps: order.map((value) => ({ kind: "zero", value })) };
  };
  expect([shows(inParts(1000), 1), shows(inParts(1001), 1)]).toEqual([false, true]);
});

const rowsOf = (each: number) => ({ B: each, plus: 0 });
/** x with four numbers per row, workspaces of eight, one and two, z of four, and y of one. */
const values: ArrayPlan["values"] = [
  { size: rowsOf(4), home: { kind: "buffer", name: "x", offset: 0 } },
  ...[8, 1, 2].map((each) => ({ size: rowsOf(each), home: { kind: "workspace" as const } })),
  { size: rowsOf(4), home: { kind: "buffer", name: "z", offset: 0 } },
  { size: rowsOf(1), home: { kind: "buffer", name: "y", offset: 0 } },
  // The extent of a product that leaves a gap after each number.
  { size: { B: 2, plus: -1 }, home: { kind: "workspace" } },
];
const [X, W, ONE, TWO, Z, Y, GAPS] = [0, 1, 2, 3, 4, 5, 6];
/** Copies `count` numbers per row, with the given distances between rows. */
const copy = (
  from: number,
  to: number,
  count: number,
  [apart, toApart = apart]: number[] = [4],
  [at, toAt]: number[] = [0, 0],
): PlanStep => ({
  kind: "loop",
  shape: [rowsOf(1), count],
  loads: [{ value: from, offset: at, strides: [apart, 1] }],
  constants: [],
  operations: [],
  stores: [{ to: { value: to, offset: toAt, strides: [toApart, 1] }, from: 0 }],
  reductions: [],
});
/** Copies four numbers per row for all rows but one, starting at `at`. */
const halves = (at: number): PlanStep => ({ ...copy(X, W, 4, [4, 8], [0, at]), shape: [{ B: 1, plus: -1 }, 4] }) as PlanStep;
/** Copies number `at` of a value for each row. */
const one = (value: number, at: number): PlanStep => copy(value, Y, 1, [0, 1], [at, 0]);
const zero = (value: number): PlanStep => ({ kind: "zero", value });
/**
 * Computes one number per row, `between` apart: the sum of `k` numbers of `from`, as a product with the rows of ones in
 * `by`. Adds it to the result if `adds` is set.
 */
const product = (
  from: number,
  by: number,
  to: number,
  { k = 4, between = 1, adds = 0, repeat = [] as never[] } = {},
): PlanStep => {
  const number = (value: number | ReturnType<typeof rowsOf>) => ({ kind: "number" as const, value });
  const value = (which: number) => ({ kind: "value" as const, value: which, offset: 0 });
  const counts = [number(0), number(0), number(rowsOf(1)), number(1), number(k)];
  const operands = [value(from), number(k), value(by), number(1), value(to), number(between), number(adds)];
  const call = { kernel: "gemm", repeat, args: [...counts, ...operands, { kind: "scratch" as const, bytes: 0 }] };
  return { kind: "kernel", result: to, calls: [call] };
};
const never = [{ count: 0, steps: new Array(13).fill(0) }] as never[];
const whole = [zero(Y), copy(X, Z, 4)];

/**
 * Scans x row by row and carries four numbers. `body` reads "carry 0" and "over 0", and writes "next 0" and "output 0".
 */
function scanned(body: readonly PlanStep[], { carries = X }: { carries?: number } = {}): ArrayPlan {
  const four = (name: string) => ({ size: 4, home: { kind: "buffer" as const, name, offset: 0 } });
  const work = { kind: "workspace" as const };
  const own: ArrayPlan["values"] = [
    { size: 16, home: { kind: "buffer", name: "x", offset: 0 } },
    { size: 4, home: work },
    { size: 4, home: work },
    { size: 16, home: { kind: "buffer", name: "z", offset: 0 } },
    { size: 16, home: { kind: "buffer", name: "h", offset: 0 } },
    { size: 4, home: { kind: "buffer", name: "last", offset: 0 } },
    { size: 4, home: work },
  ];
  const program = { values: [...["carry 0", "over 0", "next 0", "output 0"].map(four), { size: 4, home: work }], steps: body };
  const scan = { kind: "scan" as const, length: 4, reverse: false, body: program, constants: [], over: [0] };
  const places = { carries: [carries], current: [1], next: [2], outputs: [3], histories: [4] };
  const last = loopOf(1, 5, 4);
  return { version: 1, precision: "f32", values: own, steps: [zero(6), { ...scan, ...places }, last] };
}
const loopOf = (from: number, to: number, count: number): PlanStep => ({
  kind: "loop",
  shape: [1, count],
  loads: [{ value: from, offset: 0, strides: [0, 1] }],
  constants: [],
  operations: [],
  stores: [{ to: { value: to, offset: 0, strides: [0, 1] }, from: 0 }],
  reductions: [],
});
const [CARRY, OVER, NEXT, OUTPUT, OWN] = [0, 1, 2, 3, 4];

const cases: readonly (readonly [name: string, steps: readonly PlanStep[], shows: boolean])[] = [
  [
    "all of a workspace in two halves of a row",
    [copy(X, W, 4, [4, 8]), copy(X, W, 4, [4, 8], [0, 4]), copy(W, Z, 4, [8, 4], [4, 0])],
    false,
  ],
  ["two parts that leave a gap", [copy(X, W, 3, [4, 8]), copy(X, W, 4, [4, 8], [0, 4]), copy(W, Z, 4, [8, 4])], true],
  ["the same half twice", [copy(X, W, 4, [4, 8]), copy(X, W, 4, [4, 8]), copy(W, Z, 4, [8, 4], [4, 0])], true],
  [
    "the end of one row with the beginning of the next",
    [copy(X, W, 4, [4, 8]), copy(X, W, 3, [4, 8], [0, 5]), copy(W, Z, 4, [8, 4], [2, 0])],
    true,
  ],
  ["a workspace that is zeroed", [zero(W), copy(W, Z, 4, [8, 4])], false],
  ["zeros, and a part over them", [zero(W), copy(X, W, 4, [4, 8]), copy(W, Z, 4, [8, 4], [4, 0])], false],
  ["half of a workspace", [copy(X, W, 4, [4, 8]), copy(W, Z, 4, [8, 4], [4, 0])], true],
  ["nothing", [copy(W, Z, 4, [8, 4])], true],
  ["what is written too late", [copy(W, Z, 4, [8, 4]), zero(W)], true],
  ["an output without its last number", [copy(X, Z, 3)], true],
  ["an output whose numbers are written twice", [copy(X, Z, 4, [4, 1])], true],
  ["an output", [copy(X, Z, 4)], false],
  ["a product", [product(X, X, ONE), copy(ONE, Y, 1, [1]), copy(X, Z, 4)], false],
  ["a product of what nothing wrote", [product(W, X, Y), copy(X, Z, 4)], true],
  ["a product with what nothing wrote", [product(X, W, Y), copy(X, Z, 4)], true],
  ["a product over zeros", [zero(ONE), product(X, X, ONE, { adds: 1 }), copy(ONE, Y, 1, [1]), copy(X, Z, 4)], false],
  ["a product that is added to nothing", [product(X, X, ONE, { adds: 1 }), copy(ONE, Y, 1, [1]), copy(X, Z, 4)], true],
  ["a product with gaps", [product(X, X, TWO, { between: 2 }), copy(TWO, Y, 1, [2, 1], [1, 0]), copy(X, Z, 4)], true],
  [
    "a product with gaps over zeros",
    [zero(TWO), product(X, X, TWO, { between: 2 }), copy(TWO, Y, 1, [2, 1], [1, 0]), copy(X, Z, 4)],
    false,
  ],
  ["an output that is written over with what nothing wrote", [copy(X, Z, 4), copy(W, Z, 4, [8, 4])], true],
  ["a product that is never run", [product(X, X, ONE, { repeat: never }), copy(ONE, Y, 1, [1]), copy(X, Z, 4)], true],
  ["a product that is never run, of what nothing wrote", [product(W, X, ONE, { repeat: never }), ...whole], false],
  ["an input that is written, too", [copy(X, X, 4), copy(X, Z, 4)], false],
];

/** Answers must not depend on earlier computations. */
function check(plan: ArrayPlan, rows: number): void {
  const run = (before: number): Record<string, number[]> => {
    using made = new NetworkPlan(engine, plan, {}, { apart: true });
    const input = (value: number) => ({ x: Float32Array.from({ length: 4 * rows }, (_, k) => value * (k + 1)) });
    made.run(input(before), rows);
    return Object.fromEntries(Object.entries(made.run(input(1), rows)).map(([name, found]) => [name, [...found]]));
  };
  expect(run(1000)).toEqual(run(-7));
}

describe("residue of a plan", () => {
  it.each(cases)("finds the residue of steps: %s", (_, steps, wanted) => {
    const plan: ArrayPlan = { version: 1, precision: "f32", values, steps };
    expect(shows(plan, 3)).toBe(wanted);
    check(plan, 3);
  });

  const all = [loopOf(CARRY, NEXT, 4), loopOf(OVER, OUTPUT, 4)];
  it.each<[string, ArrayPlan, boolean]>([
    ["a scan", scanned(all), false],
    ["a scan that begins with zeros", scanned(all, { carries: 6 }), false],
    ["a scan that begins with what nothing wrote", scanned(all, { carries: 2 }), true],
    ["a body that leaves a part of what is carried", scanned([loopOf(CARRY, NEXT, 3), all[1]]), true],
    ["a body that leaves a part of its output", scanned([all[0], loopOf(OVER, OUTPUT, 3)]), true],
    ["a body that writes over its output what nothing wrote", scanned([...all, loopOf(OWN, OUTPUT, 4)]), true],
    ["a body that reads what it writes later", scanned([loopOf(NEXT, OUTPUT, 4), ...all]), true],
  ])("finds the residue of scans: %s", (_, plan, wanted) => expect(shows(plan, 1)).toBe(wanted));

  it("is reported for several rows even if one row would be refused", () => {
    const plan = (steps: PlanStep[]): ArrayPlan => ({ version: 1, precision: "f32", values, steps });
    expect(shows(plan([product(X, X, GAPS, { between: 2 }), one(GAPS, 1), copy(X, Z, 4)]), 3)).toBe(true);
    expect(shows(plan([zero(GAPS), product(X, X, GAPS, { between: 2 }), one(GAPS, 1), copy(X, Z, 4)]), 3)).toBe(false);
    // The first half of each row except the last, and the second half of each row except the first.
    expect(shows(plan([halves(0), halves(12), copy(W, Z, 4, [8, 4], [4, 0])]), 3)).toBe(true);
    const third = { ...loopOf(X, W, 8), stores: [{ to: { value: W, offset: 16, strides: [0, 1] }, from: 0 }] } as PlanStep;
    expect(shows(plan([halves(0), halves(12), third, copy(W, Z, 4, [8, 4], [4, 0])]), 3)).toBe(true);
  });

  it("excludes given parameters, but not buffers of fixed size that are read and written", () => {
    const fixed = values.map((value) => ({ ...value, size: 8 }));
    const plan = (steps: PlanStep[]): ArrayPlan => ({ version: 1, precision: "f32", values: fixed, steps });
    expect(shows(plan([loopOf(X, Z, 8)]), 1)).toBe(false);
    expect(shows(plan([loopOf(X, Z, 8), loopOf(Z, X, 8)]), 1)).toBe(true);
  });
});
