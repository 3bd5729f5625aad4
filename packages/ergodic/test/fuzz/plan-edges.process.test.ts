/**
 * Plans whose numbers are 0, about 2^30 and 2^31, or 2^53, with the limits for files. Each is refused or ends within
 * two seconds and a GiB. Only this test runs accepted plans with such numbers. plan-sandbox.test.ts covers all other
 * damage to plans.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import type { ArrayPlan } from "../../src/engine/memory/array-plan.ts";
import { elementwiseOperations } from "../../src/engine/memory/elementwise.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { MAX_MEMORY } from "../../src/predict/limits.ts";
import { planKernels, rolesOf } from "../../src/predict/plan/kernel-rules.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";
import { power } from "../power.ts";
import { type SavedPlan, savedPlans } from "../predict/plans.ts";
import { begin, reportMemory } from "./cost.ts";
import { type Random, random } from "./mutations.ts";

const { ERGODIC_FUZZ_CASES = String(power(120, 300)), ERGODIC_FUZZ_SEED = "1" } = process.env;
/** A tenth of the default. A row of that work takes at most a second, and each case computes two batches. */
const MAX_WORK = 2e9;
const LIMITS = { seconds: 2, mebibytes: 1024 };

const EDGES = [
  ...[0, 0, 1, 1, 2, 3, 7, 2 ** 10, 2 ** 16, 2 ** 20, 2 ** 24, 1e8, 2 ** 29, 2 ** 30 - 1, 2 ** 30, 2 ** 30 + 1],
  ...[2 ** 31 - 256, 2 ** 31 - 255, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 31 + 255, 2 ** 31 + 256, 2 ** 53],
];

type Json = Record<string, unknown>;
type Plan = { values: Json[]; steps: Json[] };

/** If a place has several numbers, most stay small. Otherwise almost nothing would be accepted. */
const someEdge = (draws: Random): unknown => (draws.below(2) === 0 ? edge(draws) : draws.pick([1, 1, 2, 3]));

const edge = ({ pick, below }: Random): unknown => {
  const value = pick(EDGES);
  return below(8) > 0 ? value : { B: pick([1, -1, value]), plus: pick(EDGES) };
};

/** Sets some of the plan's numbers at random places. */
function setNumbers(plan: unknown, draws: Random): void {
  const places: [Json, string][] = [];
  const look = (x: unknown): void => {
    if (typeof x !== "object" || x === null) return;
    for (const [key, value] of Object.entries(x)) {
      const isNumber = typeof value === "number" || (typeof value === "object" && value !== null && "B" in value);
      if (isNumber && key !== "version") places.push([x as Json, key]);
      else look(value);
    }
  };
  look(plan);
  for (let times = draws.pick([1, 1, 2, 3]); times > 0; times--) {
    const [at, key] = draws.pick(places);
    at[key] = edge(draws);
  }
}

/** A value for one element of a step: a new one or one of the existing values. */
function someValue({ values }: Plan, { below }: Random, isOwn: boolean): number {
  if (isOwn || below(2) === 0) return values.push({ size: 1, home: { kind: "workspace" } }) - 1;
  return below(values.length);
}

function loop(plan: Plan, draws: Random): Json {
  const { pick, below } = draws;
  const shape = Array.from({ length: 1 + below(3) }, () => someEdge(draws));
  const access = (isOwn: boolean): Json => ({ value: someValue(plan, draws, isOwn), offset: 0, strides: shape.map(() => 0) });
  const loads = Array.from({ length: below(2) }, () => access(false));
  const constants = Array.from({ length: below(2) }, () => "1");
  const count = loads.length + constants.length;
  const unary = Object.keys(elementwiseOperations).filter((name) => elementwiseOperations[name][1] === 1);
  const operations = count > 0 && below(2) > 0 ? [[pick(unary), below(count)]] : [];
  const from = (): number => below(count + operations.length);
  const stores = count > 0 && below(2) > 0 ? [{ to: access(true), from: from() }] : [];
  const reductions = count > 0 && below(3) === 0 ? [{ kind: "sum", to: access(true), size: 1, from: from() }] : [];
  return { kind: "loop", shape, loads, constants, operations, stores, reductions };
}

function kernel(plan: Plan, draws: Random): Json {
  const { pick, below } = draws;
  const name = pick(planKernels());
  const result = someValue(plan, draws, true);
  const sizes = [0, 1, 2, 3, 4, 5, 6].map(() => pick([0, 1, 1, 1, 2]));
  const block = [...sizes, 1, 1, 1, 1, 0, 0, 1, 1, 1].map((size) => (below(12) === 0 ? edge(draws) : size));
  const args = rolesOf(name, "fuzz").map((role): Json => {
    if (role === "count") return { kind: "number", value: below(5) === 0 ? edge(draws) : pick([0, 1, 1]) };
    if (role === "shape") return { kind: "indices", values: block };
    if (role === "scratch") return { kind: "scratch", bytes: 0 };
    return {
      kind: "value",
      value: role === "writes" ? result : someValue(plan, draws, false),
      offset: below(9) > 0 ? 0 : edge(draws),
    };
  });
  const repeat = Array.from({ length: pick([0, 0, 1, 2]) }, () => ({ count: someEdge(draws), steps: args.map(() => 0) }));
  return { kind: "kernel", calls: [{ kernel: name, args, repeat }], result };
}

function scan(plan: Plan, draws: Random, depth: number): Json {
  const { below } = draws;
  const body: Plan = { values: [], steps: [] };
  for (let count = below(3); count > 0; count--) body.steps.push(step(body, draws, depth + 1));
  const carried = Array.from({ length: below(2) }, () => someValue(plan, draws, true));
  return {
    ...{
      kind: "scan",
      length: someEdge(draws),
      reverse: below(2) === 0,
      body,
      carries: carried,
      current: carried,
      next: carried,
    },
    ...{ over: [], constants: [], outputs: [], histories: carried.map(() => null) },
  };
}

function step(plan: Plan, draws: Random, depth = 0): Json {
  const kind = draws.below(depth > 2 ? 3 : 4);
  if (kind === 0) return loop(plan, draws);
  if (kind === 1) return kernel(plan, draws);
  if (kind === 3) return scan(plan, draws, depth);
  return { kind: "zero", value: plan.values.push({ size: edge(draws), home: { kind: "workspace" } }) - 1 };
}

function changed(plan: ArrayPlan, draws: Random): ArrayPlan {
  const copy = structuredClone(plan) as unknown as Plan;
  if (draws.below(3) === 0) setNumbers(copy, draws);
  else
    for (let times = draws.pick([1, 1, 2]); times > 0; times--)
      copy.steps.splice(draws.below(copy.steps.length + 1), 0, step(copy, draws));
  return copy as unknown as ArrayPlan;
}

/** Whether the plan was accepted. */
function runs(engine: Awaited<ReturnType<typeof openEngine>>, plan: ArrayPlan, { numbers, width }: SavedPlan): boolean {
  try {
    using made = new NetworkPlan(engine, plan, numbers, { apart: true, maxWork: MAX_WORK, maxMemory: MAX_MEMORY, where: "fuzz" });
    for (const rows of [1, 3]) made.run({ x: new Float32Array(rows * width) }, rows);
    return true;
  } catch (error) {
    if (error instanceof ErgodicError && !error.message.includes("please report")) return false;
    throw error;
  }
}

it("plans with extreme numbers are refused or end normally", async () => {
  const engine = await openEngine();
  // Memory of one case must not count for the next.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const names = Object.keys(savedPlans);
  const cases = Number(ERGODIC_FUZZ_CASES);
  let accepted = 0;
  let slowest = 0;
  for (let k = 0; k < cases; k++) {
    const own = (Number(ERGODIC_FUZZ_SEED) + k) >>> 0;
    const draws = random(own);
    const saved = savedPlans[draws.pick(names)];
    const plan = changed(saved.plan, draws);
    const cost = begin(LIMITS);
    const before = process.cpuUsage();
    let isAccepted = false;
    try {
      isAccepted = runs(engine, plan, saved);
    } catch (cause) {
      throw new Error(`case ${own} ended in ${String(cause)}: ${JSON.stringify(plan)}`, { cause });
    }
    const { user, system } = process.cpuUsage(before);
    slowest = Math.max(slowest, (user + system) / 1e6);
    const tooMuch = cost();
    if (tooMuch) throw new Error(`case ${own} ${tooMuch}: ${JSON.stringify(plan)}`);
    if (isAccepted) accepted++;
    if (isAccepted) collect();
  }
  reportMemory();
  console.log(`accepted: ${accepted} of ${cases}, slowest: ${slowest.toFixed(2)} s`);
  if (cases < 100) return;
  expect(accepted).toBeGreaterThan(cases / 20);
  expect(accepted).toBeLessThan(cases / 1.2);
});
