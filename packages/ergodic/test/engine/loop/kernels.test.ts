/**
 * kernels/{group,average,search}.ts agree with plain twins for lengths 0 … 17, special values and both element types.
 */

import { describe, expect, it } from "vitest";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { stochasticLineSearch } from "../../../src/entries/everything.ts";
import { logisticLoss as logistic } from "../../../src/learning/models/losses/index.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { BoundLinear } from "../../learning/models/bound.ts";
import { dotTwin } from "../../reference/linear-gradient.ts";
import { search } from "../../reference/search.ts";
import { plantedRows } from "./planted.ts";

const engine = await openEngine();
const { memory } = engine;

describe("groupShrink", () => {
  /** p_g ← p_g max(0, 1 − ηλw/‖p_g‖), with sums over the members in order and outputs within a member. */
  function twin(p: Float64Array, groups: number[][], outputs: number, stride: number, threshold: number): Float64Array {
    const next = p.slice();
    for (const members of groups) {
      const places = members.flatMap((j) => Array.from({ length: outputs }, (_, k) => k * stride + j));
      const square = places.reduce((sum, i) => sum + p[i] * p[i], 0);
      const limit = threshold * Math.sqrt(members.length);
      for (const i of places) next[i] = square <= limit * limit ? 0 : p[i] * (1 - limit / Math.sqrt(square));
    }
    return next;
  }

  function kernel(
    type: "f32" | "f64",
    p: Float64Array,
    groups: number[][],
    outputs: number,
    stride: number,
    rate: number,
    lambda: number,
  ): Float64Array {
    using arena = new Arena(memory, "group");
    const parameters = arena.take(8 * p.length);
    memory[type](parameters, p.length).set(p);
    const flat = groups.flat();
    const start = arena.take(4 * (groups.length + 1));
    memory.u32(start, groups.length + 1).set([0, ...groups.map((_, g) => groups.slice(0, g + 1).flat().length)]);
    const columns = arena.take(4 * flat.length);
    memory.u32(columns, flat.length).set(flat);
    const rateAt = arena.copy(Float64Array.of(rate));
    const block = arena.block(field.GROUP_BYTES, [
      [field.GROUP_PARAMETERS, parameters],
      [field.GROUP_ELEMENT_BYTES, type === "f64" ? 8 : 4],
      [field.GROUP_COUNT, groups.length],
      [field.GROUP_START, start],
      [field.GROUP_COLUMNS, columns],
      [field.GROUP_WEIGHTS, arena.copy(Float64Array.from(groups, (g) => Math.sqrt(g.length)))],
      [field.GROUP_OUTPUTS, outputs],
      [field.GROUP_STRIDE, stride],
      [field.GROUP_RATE, rateAt],
    ]);
    arena.setF64(block, field.GROUP_LAMBDA_F64, lambda);
    engine.kernel("groupShrink", true)(block);
    return Float64Array.from(memory[type](parameters, p.length));
  }

  it.each(["f32", "f64"] as const)(
    "%s: shrinks groups of 0 … 17 columns, with one and three outputs, and skips the intercept",
    (type) => {
      const u = numbers(3);
      for (let size = 0; size <= 17; size++) {
        for (const outputs of [1, 3]) {
          const stride = size + 3;
          const p = Float64Array.from({ length: outputs * stride }, () => Math.fround(u.next().value));
          const groups = [Array.from({ length: size }, (_, j) => j), [size], [size + 1]];
          const wanted = twin(p, groups, outputs, stride, 0.5 * 0.3);
          const found = kernel(type, p, groups, outputs, stride, 0.5, 0.3);
          const rounded = type === "f32" ? wanted.map(Math.fround) : wanted;
          expect(found).toEqual(rounded);
          expect(found[stride - 1]).toBe(p[stride - 1]);
        }
      }
    },
  );

  it("returns exactly +0 up to the limit, keeps NaN, does not make Infinity finite, and zeroes subnormals", () => {
    const one = (values: number[], rate = 1): number[] => [
      ...kernel("f64", Float64Array.from(values), [[0, 1]], 1, values.length, rate, 0.5),
    ];
    const limit = 0.5 * Math.SQRT2;
    expect(one([-limit / 2, 0])).toEqual([0, 0]);
    expect(Object.is(one([-limit / 2, -0])[0], 0)).toBe(true);
    expect(one([3, 4], 0)).toEqual([3, 4]);
    expect(one([Number.NaN, 1])).toEqual([Number.NaN, Number.NaN]);
    expect(one([Infinity, 1])[0]).toBe(Infinity);
    expect(one([5e-324, -5e-324])).toEqual([0, 0]);
  });
});

describe("average", () => {
  const kinds = { f32: 4, f64: 8, i16: 2 } as const;
  const round = {
    f32: Math.fround,
    f64: (x: number) => x,
    i16: (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)) + 0,
  };

  it.each(["f32", "f64", "i16"] as const)("%s: replaces 1 … 4 copies of 0 … 17 elements by their mean", (type) => {
    const u = numbers(9);
    for (let length = 0; length <= 17; length++) {
      for (let copies = 1; copies <= 4; copies++) {
        using arena = new Arena(memory, "average");
        const values = Array.from({ length: copies }, () =>
          Array.from({ length }, () => (type === "i16" ? Math.round(65535 * u.next().value) : Math.fround(u.next().value))),
        );
        const pointers = values.map((own) => {
          const at = arena.take(8 * length + 8);
          memory[type](at, length).set(own);
          return at;
        });
        const list = arena.take(4 * copies);
        memory.u32(list, copies).set(pointers);
        engine.kernel("average", true)(list, copies, length, kinds[type]);
        const wanted = Array.from({ length }, (_, i) => round[type](values.reduce((sum, own) => sum + own[i], 0) * (1 / copies)));
        for (const at of pointers) expect([...memory[type](at, length)]).toEqual(wanted);
      }
    }
  });

  it("propagates NaN and infinities", () => {
    using arena = new Arena(memory, "average");
    const [a, b] = [
      arena.copy(Float64Array.of(Number.NaN, Infinity, Infinity, -0)),
      arena.copy(Float64Array.of(1, 1, -Infinity, -0)),
    ];
    const list = arena.take(8);
    memory.u32(list, 2).set([a, b]);
    engine.kernel("average", true)(list, 2, 4, 8);
    expect([...memory.f64(a, 4)]).toEqual([Number.NaN, Infinity, Number.NaN, 0]);
  });
});

describe("searchStep", () => {
  it.each([
    { format: "dense" as const, maxTrials: 40 },
    { format: "sparse" as const, maxTrials: 40 },
    { format: "dense" as const, maxTrials: 10 },
  ])("$format, $maxTrials trials: matches trials, point and rate of the twin, with L2", async ({ format, maxTrials }) => {
    const { data, entries, y } = plantedRows({ rows: 30, columns: 7, classes: 2, format });
    const rule = stochasticLineSearch({ initial: 200, maxTrials, fallback: 1e-3 });
    const l2 = 0.05;
    using bound = await BoundLinear.open(data, { mode: "buffered", batch: 8, loss: logistic(), model: "f64" });
    using arena = new Arena(memory, "search");
    const { stride } = bound.problem;
    const block = arena.block(field.SEARCH_BYTES, [
      [field.SEARCH_OBJECTIVE, bound.binding.objectiveSlot],
      [field.SEARCH_ELEMENT_BYTES, 8],
      [field.SEARCH_BACKUP, arena.take(8 * stride)],
      [field.SEARCH_SHARE, arena.copy(Float64Array.from(bound.problem.penalty.weights))],
      [field.SEARCH_MAX_TRIES, rule.options.maxTrials],
    ]);
    const options = rule.options as Record<string, number>;
    const numbers: [number, number][] = [
      [field.SEARCH_RATE_F64, options.initial],
      [field.SEARCH_GROWTH_F64, options.growth ** (1 / 4)],
      [field.SEARCH_SUFFICIENT_F64, options.c],
      [field.SEARCH_SHRINK_F64, options.shrink],
      [field.SEARCH_FALLBACK_F64, rule.options.fallback],
      [field.SEARCH_L2_F64, l2],
    ];
    for (const [at, value] of numbers) arena.setF64(block, at, value);
    const rows = arena.take(32);
    const p = Array.from({ length: stride }, (_, j) => (j < 7 ? 0.3 * (j - 3) : 0));
    bound.setParameters(p);
    let last: number | undefined;
    const trialCounts: number[] = [];
    for (let step = 0; step < 12; step++) {
      const listed = Array.from({ length: 8 }, (_, b) => (step * 8 + b) % 30);
      const objective = (at: number[]): number =>
        listed.reduce((sum, i) => sum + Math.log1p(Math.exp(-(y[i] > 0 ? 1 : -1) * dotTwin(entries[i], at).value)), 0) / 8 +
        (l2 / 2) * at.reduce((sum, v) => sum + v * v, 0);
      const { loss, gradient } = bound.gradient(listed);
      const full = gradient.map((g, j) => g + l2 * bound.problem.penalty.weights[j] * p[j]);
      const along = (stepSize: number): number[] => p.map((v, j) => v - stepSize * full[j]);
      const squaredNorm = full.reduce((sum, g) => sum + g * g, 0);
      const found = search(rule, last, { loss: objective(p), squaredNorm, epochUpdates: 4 }, (stepSize) =>
        objective(along(stepSize)),
      );
      last = found.stepSize;
      trialCounts.push(found.trials);
      memory.u32(rows, 8).set(listed);
      engine.kernel("searchStep", true)(block, bound.binding.model, bound.parameters, rows, 8, bound.binding.pieces, loss);
      expect(Math.abs(arena.getF64(block, field.SEARCH_RATE_F64) - found.stepSize)).toBeLessThanOrEqual(1e-12 * found.stepSize);
      const now = along(found.stepSize);
      const moved = memory.f64(bound.parameters, stride);
      expect(Math.max(...now.map((v, j) => Math.abs(v - moved[j])))).toBeLessThanOrEqual(1e-11 * Math.max(...now.map(Math.abs)));
      p.splice(0, p.length, ...now);
    }
    // All three outcomes occurred: some trials failed first, some ran out, and some succeeded immediately.
    if (maxTrials === 10) expect(trialCounts[0]).toBe(10);
    else expect(trialCounts[0]).toBeGreaterThan(10);
    expect(trialCounts).toContain(1);
    data.dispose();
  });
});
