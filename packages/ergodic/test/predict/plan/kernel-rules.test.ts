/**
 * The table of kernels that plans may call, compared with the kernels. Each kernel runs on arrays exactly as large as
 * the table states, between canaries, with random counts and shapes.
 */
import { describe, expect, it } from "vitest";
import { ErgodicError } from "../../../src/engine/errors/errors.ts";
import type { ArrayPlan, PlanArgument, PlanCall } from "../../../src/engine/memory/array-plan.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { fillsResult, planKernels, rolesOf, touchedBy } from "../../../src/predict/plan/kernel-rules.ts";
import { NetworkPlan } from "../../../src/predict/plan/network-plan.ts";
import { isSlow, power } from "../../power.ts";
import { GuardedMachine } from "../guarded-machine.ts";

const CASES = power(10, 25);
const guarded = await GuardedMachine.open(2 ** 20);

const SMALL = [0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17];
/** Words of a convolution in the order of the kernels: batch, in, out, kernel, strides, pads, dilations, groups. */
function blockOf(pick: <T>(list: readonly T[]) => T, isDepthwise: boolean): number[] {
  const channels = pick([1, 2, 4, 6, 8, 16]);
  const outChannels = isDepthwise ? channels : pick([1, 2, 4, 8, 16]);
  const groups = isDepthwise ? channels : pick([1, 1, 2].filter((g) => channels % g === 0 && outChannels % g === 0));
  const image = [
    pick([1, 2, 3]),
    pick([1, 3, 5, 8]),
    pick([1, 3, 5, 8]),
    channels,
    pick([1, 2, 3, 5, 8]),
    pick([1, 2, 4, 7]),
    outChannels,
  ];
  const window = [pick([1, 2, 3, 5]), pick([1, 2, 3, 5]), pick([1, 2, 3]), pick([1, 2, 3])];
  return [...image, ...window, pick([0, 1, 2, 6]), pick([0, 1, 2, 6]), pick([1, 2, 3]), pick([1, 2]), groups];
}

const argumentsOf = (kernel: string, pick: <T>(list: readonly T[]) => T): PlanArgument<number>[] =>
  rolesOf(kernel, "test").map((role) => {
    if (role === "count") return { kind: "number", value: pick(SMALL) };
    if (role === "shape") return { kind: "indices", values: blockOf(pick, kernel.startsWith("depthwise")) };
    if (role === "scratch") return { kind: "scratch", bytes: 0 };
    return { kind: "value", value: 0, offset: 0 };
  });

/** A plan with one call, whose arrays are parameters and an output of the size in the table. */
function planOf(kernel: string, call: PlanCall<number>, precision: "f32" | "f64") {
  const { elements } = touchedBy(call, precision === "f32" ? 4 : 8, "test");
  const roles = rolesOf(kernel, "test");
  const values: ArrayPlan["values"][number][] = [];
  const args = call.args.map((arg, i): PlanArgument => {
    if (arg.kind !== "value") return arg;
    values.push({ size: elements[i], home: { kind: "buffer", name: roles[i] === "writes" ? "z" : `array ${i}`, offset: 0 } });
    return { ...arg, value: values.length - 1 };
  });
  const result = values.findIndex(({ home }) => home.kind === "buffer" && home.name === "z");
  const plan: ArrayPlan = {
    version: 1,
    precision,
    values,
    steps: [{ kind: "kernel", calls: [{ kernel, args, repeat: [] }], result }],
  };
  return { plan, elements, roles };
}

describe.each(planKernels().filter((kernel) => rolesOf(kernel, "test").includes("count")))("calls of %s", (kernel) => {
  it.each([2 ** 31, -1, 0.5, Number.NaN])("refuses a count of %d, whatever the others are", (wrong) => {
    const roles = rolesOf(kernel, "test");
    for (const [at, role] of roles.entries()) {
      if (role !== "count") continue;
      const args = roles.map((own, i): PlanArgument<number> => {
        if (own === "count") return { kind: "number", value: i === at ? wrong : 0 };
        if (own === "shape") return { kind: "indices", values: [1, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 0, 0, 1, 1, 1] };
        return own === "scratch" ? { kind: "scratch", bytes: 0 } : { kind: "value", value: 0, offset: 0 };
      });
      expect(() => touchedBy({ kernel, args, repeat: [] }, 4, "test")).toThrow(
        `calls ${kernel} with arguments that it does not accept`,
      );
    }
  });
});

describe.each(planKernels())("accesses of %s", (kernel) => {
  it("reads and writes exactly what the table states", () => {
    const draws = stream(4, "plan kernels", kernel).at(0);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(draws.uniform() * list.length)];
    const [tight, ran] = [{ count: 0 }, { count: 0 }];
    // Some kernels rarely take random counts, so the cases go on until enough have run.
    const isEnough = (): boolean => ran.count > CASES / 8 && tight.count > 0;
    for (let i = 0; i < CASES || (!isEnough() && i < 10 * CASES); i++) {
      const precision = pick(["f32", "f64"] as const);
      const call: PlanCall<number> = {
        kernel,
        repeat: [],
        args: argumentsOf(kernel, pick),
      };
      let made: ReturnType<typeof planOf>;
      try {
        made = planOf(kernel, call, precision);
      } catch (error) {
        if (!(error instanceof ErgodicError)) throw error;
        continue;
      }
      const { plan, elements, roles } = made;
      const numbers = Object.fromEntries(
        elements.map((count, k) => [`array ${k}`, Float64Array.from({ length: count }, (_, j) => Math.sin(j + k) * 4)]),
      );
      // Small, negative, and 3 in f32, because only integers are row numbers in exchanges.
      const found = [0x11, 0xc7, 0x40].map((canary) => {
        guarded.fill(canary);
        using predictor = new NetworkPlan(guarded.engine, plan, numbers);
        const { z } = predictor.run({}, 1);
        expect(guarded.touched(), JSON.stringify(call)).toEqual([]);
        return [...z];
      });
      for (const other of found.slice(1)) expect(other, JSON.stringify(call)).toEqual(found[0]);
      ran.count++;
      // A read array with one element fewer is refused.
      const read = elements.map((count, k) => (roles[k] === "writes" ? 0 : count));
      const largest = read.indexOf(Math.max(...read));
      if (read[largest] === 0) continue;
      const values = plan.values.map((value) =>
        value.home.kind === "buffer" && value.home.name === `array ${largest}`
          ? { ...value, size: elements[largest] - 1 }
          : value,
      );
      expect(() => new NetworkPlan(guarded.engine, { ...plan, values }, numbers)).toThrow("reach from");
      tight.count++;
    }
    expect(ran.count).toBeGreaterThan(CASES / 8);
    expect(tight.count).toBeGreaterThan(0);
  });
});

describe.each(planKernels())("results of %s", (kernel) => {
  it("fills its result exactly if the table states it", () => {
    const draws = stream(5, "plan kernels", kernel).at(0);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(draws.uniform() * list.length)];
    let filled = 0;
    for (let i = 0; i < power(4, 8) * CASES; i++) {
      const args = argumentsOf(kernel, pick);
      const call: PlanCall<number> = { kernel, repeat: [], args };
      // Makes more products without gaps and accumulation, which are rare at random.
      if (kernel === "gemm" && i % 2 === 0) [args[10], args[11]] = [args[3], { kind: "number", value: 0 }];
      let made: ReturnType<typeof planOf>;
      try {
        made = planOf(kernel, call, "f32");
      } catch (error) {
        if (!(error instanceof ErgodicError)) throw error;
        continue;
      }
      const { plan, elements } = made;
      const step = plan.steps[0] as { readonly result: number };
      const size = plan.values[step.result].size as number;
      if (size === 0) continue;
      const numbers = Object.fromEntries(
        elements.map((count, k) => [`array ${k}`, Float64Array.from({ length: count }, (_, j) => Math.sin(j + k) * 4)]),
      );
      // Previous content of the result.
      const results = (isSlow ? ["5", "-3", "1e9"] : ["5", "1e9"]).map((before) => {
        const whole = { value: step.result, offset: 0, strides: [1] };
        const loop = { kind: "loop" as const, shape: [size], loads: [], constants: [before], operations: [], reductions: [] };
        const filling = { ...loop, stores: [{ to: whole, from: 0 }] };
        using predictor = new NetworkPlan(guarded.engine, { ...plan, steps: [filling, ...plan.steps] }, numbers);
        return [...predictor.run({}, 1).z];
      });
      const isFilled = results.every((one) => one.every((value, k) => Object.is(value, results[0][k])));
      if (!fillsResult(call)) continue;
      expect(isFilled, JSON.stringify(call)).toBe(true);
      filled++;
    }
    expect(filled).toBeGreaterThan(CASES / 8);
  });
});
