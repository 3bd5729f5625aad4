import type { JsonObject } from "../../engine/contract/index.ts";
import type { FeaturesStep } from "../../engine/data/features/feature-map.ts";
import { paddedSize } from "../../engine/data/features/hadamard.ts";
import type { Step } from "../../engine/data/rows.ts";
import { type PlanCall, type PlanLoop, type PlanProgram, planAt } from "../../engine/memory/array-plan.ts";
import { type ConvolutionShape, convolutionShapeOf } from "../../engine/memory/convolution.ts";
import { buffersOf, parametersOf } from "../plan/buffers.ts";
import { scanBuffers } from "../plan/check.ts";
import { readPlan } from "../plan/format.ts";
import { touchedBy } from "../plan/kernel-rules.ts";
import { batchMemory } from "../plan/value-places.ts";
import { PLAIN } from "../plan/work.ts";

/** One line of the ledger: the cost per row of one kind of operation or memory traffic. */
export interface LedgerItem {
  /**
   * Kind of cost. Operations: "multiply-adds", "element-wise operations" or "functions" such as exp. For bytes, the
   * kind is "parameters", "activations" or "rows".
   */
  readonly what: string;
  /** Unit of `count`. */
  readonly unit: "operation" | "byte";
  /** Width of the numbers in bits. */
  readonly width: 32 | 64;
  /** Number of operations or bytes per row. */
  readonly count: number;
  /** Memory level from which the bytes come; null for operations. */
  readonly level: string | null;
  /** Published energy per unit in pJ, lowest and highest. */
  readonly picojoules: readonly [low: number, high: number];
}

/** Work per row, before energy is assigned. */
export interface Work {
  multiplyAdds: number;
  operations: number;
  functions: number;
  /** Bytes read per row. The next two fields are also in bytes. */
  parameters: number;
  activations: number;
  rows: number;
}

/**
 * Work per row. `model` is the size of the model in memory, and `between` the size of the activations between its
 * layers, both in bytes.
 */
export interface ModelWork extends Work {
  readonly width: 32 | 64;
  readonly model: number;
  readonly between: number;
}

const ADD = { 32: 0.9, 64: 0.9 * (0.9 / 0.4) };
const MULTIPLY = { 32: 3.7, 64: 3.7 * (3.7 / 1.1) };
/** Energy per access of 64 bits. */
const LEVELS = [
  { name: "cache of 8 kB", bytes: 2 ** 13, picojoules: [10, 10] },
  { name: "cache of 32 kB", bytes: 2 ** 15, picojoules: [20, 20] },
  { name: "cache of 1 MB", bytes: 2 ** 20, picojoules: [100, 100] },
  { name: "DRAM", bytes: Infinity, picojoules: [1300, 2600] },
] as const;
/** Cost of a function such as exp, in multiply-adds. */
const FUNCTION = 16;

/**
 * Returns the energy ledger for a row, which lists its operations and the bytes that it reads from each memory level.
 * The energy is modelled, not measured, and excludes the host's overhead and idle power.
 *
 * pJ at 45 nm (Horowitz 2014): float32 add 0.9, multiply 3.7; 64 bits from a cache of 8 kB 10, 32 kB 20, 1 MB 100, from
 * DRAM 1,300 to 2,600. float64 is extrapolated from the ratio of 32-bit to 16-bit cost (0.4 and 1.1 at 16 bits). A
 * function such as exp counts as 16 multiply-adds. Parameters are read from the smallest memory that holds the model
 * and its activations, activations are read from the smallest memory that holds them, and rows are read from DRAM.
 */
export function ledgerOf({ width, model, between, ...work }: ModelWork): LedgerItem[] {
  const one = (x: number): [number, number] => [x, x];
  const fused = ADD[width] + MULTIPLY[width];
  const operation = (what: string, count: number, picojoules: number): LedgerItem => ({
    ...{ what, unit: "operation", width, count, level: null },
    picojoules: one(picojoules),
  });
  const bytes = (what: string, count: number, within: number): LedgerItem => {
    const { name, picojoules } = LEVELS.find((level) => within <= level.bytes)!;
    return { what, unit: "byte", width, count, level: name, picojoules: [picojoules[0] / 8, picojoules[1] / 8] };
  };
  return [
    operation("multiply-adds", work.multiplyAdds, fused),
    operation("element-wise operations", work.operations, ADD[width]),
    operation("functions", work.functions, FUNCTION * fused),
    bytes("parameters", work.parameters, model + between),
    bytes("activations", work.activations, between),
    bytes("rows", work.rows, Infinity),
  ].filter(({ count }) => count > 0);
}

/** Joules per row, computed with the lowest and with the highest published figures. */
export function joulesOf(ledger: readonly LedgerItem[]): [low: number, high: number] {
  const sum = (k: 0 | 1): number => ledger.reduce((total, { count, picojoules }) => total + count * picojoules[k], 0) * 1e-12;
  return [sum(0), sum(1)];
}

const nothing = (): Work => ({ multiplyAdds: 0, operations: 0, functions: 0, parameters: 0, activations: 0, rows: 0 });

/** Adds `times` × b to a. */
function add(a: Work, b: Work, times = 1): void {
  for (const key of Object.keys(b) as (keyof Work)[]) a[key] += times * b[key];
}

/**
 * Work of a linear model with float64 parameters: z = x·weightsᵀ + intercept. `entries`: number of stored values in a
 * row.
 */
export function linearWork({
  outputs,
  columns,
  entries,
  isSparse,
}: {
  outputs: number;
  columns: number;
  entries: number;
  isSparse: boolean;
}): ModelWork {
  const counted = { multiplyAdds: outputs * entries, operations: outputs, parameters: 8 * outputs * (entries + 1) };
  const rows = (isSparse ? 12 : 8) * entries;
  return {
    ...nothing(),
    ...counted,
    activations: 8 * outputs,
    rows,
    width: 64,
    model: 8 * outputs * (columns + 1),
    between: 8 * outputs,
  };
}

/**
 * Work of a factorisation, which multiplies a user's factors by an item's factors and adds their biases. `model`: bytes
 * of its parameters.
 */
export const factorWork = (rank: number, biases: boolean, model: number): ModelWork => ({
  ...{ ...nothing(), multiplyAdds: rank, operations: biases ? 3 : 0, parameters: 16 * (rank + Number(biases)) },
  ...{ activations: 8, rows: 16, width: 64, model, between: 8 },
});

/** Adds the work of random features in the pipeline, which usually dominates the cost of such a model. */
export function withFeatures(work: ModelWork, steps: readonly Step[]): ModelWork {
  const all = { ...work };
  for (const step of steps) {
    const { kind, inputs, count } = step as FeaturesStep;
    const frequencies = count / 2;
    if (kind === "rff" || kind === "orthogonal") {
      const bytes = 8 * frequencies * inputs;
      add(all, { ...nothing(), multiplyAdds: frequencies * inputs, parameters: bytes });
      all.model += bytes;
    } else if (kind === "sorf" || kind === "fastfood") {
      const size = paddedSize(inputs);
      const cells = Math.ceil(frequencies / size) * size;
      const [transforms, products] = kind === "sorf" ? [3, 4] : [2, 3];
      add(all, { ...nothing(), operations: cells * (transforms * (31 - Math.clz32(size)) + products) });
    } else continue;
    add(all, { ...nothing(), functions: count, activations: 8 * count });
    all.between += 8 * count;
    all.rows = 8 * inputs;
  }
  return all;
}

/**
 * Work of a network, summed over the kernel calls and loops of its plan for one batch. Each operand of a call is
 * counted as read once, because tiles are assumed to stay in registers and in the nearest cache. As in the literature,
 * multiply-adds with padding are counted too. `model`: bytes of its parameters.
 */
export function networkWork(description: JsonObject, rows: number, model: number): ModelWork {
  const plan = readPlan(description.program, "measure");
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const program = planAt(plan, rows);
  const buffers = buffersOf(plan);
  const given = new Set(parametersOf(buffers).map(({ name }) => name));
  const results = new Set(buffers.filter(({ isWritten }) => isWritten).map(({ name }) => name));
  const place = (name: string): Place => (given.has(name) ? "parameters" : results.has(name) ? "activations" : "rows");
  const total = workOf(program, elementBytes, place);
  const each = nothing();
  add(each, total, 1 / rows);
  const { workspace, code, scratch } = batchMemory(program, elementBytes, "measure");
  return {
    ...each,
    width: elementBytes === 8 ? 64 : 32,
    model: model + code + scratch,
    between: workspace,
  };
}

type Place = "parameters" | "activations" | "rows";

function workOf(program: PlanProgram<number>, elementBytes: 4 | 8, buffer: (name: string) => Place): Work {
  const work = nothing();
  const placeOf = (value: number): Place => {
    const { home } = program.values[value];
    return home.kind === "constant" ? "parameters" : home.kind === "workspace" ? "activations" : buffer(home.name);
  };
  const touch = (value: number, elements: number): void => void (work[placeOf(value)] += elements * elementBytes);
  for (const step of program.steps) {
    if (step.kind === "zero") touch(step.value, program.values[step.value].size);
    else if (step.kind === "loop") addLoop(work, step, touch);
    else if (step.kind === "kernel")
      for (const call of step.calls) {
        const rounds = call.repeat.reduce((product, { count }) => product * count, 1);
        const { elements } = touchedBy(call, elementBytes, "measure");
        for (const [i, arg] of call.args.entries()) if (arg.kind === "value") touch(arg.value, rounds * elements[i]);
        const { multiplyAdds = 0, operations = 0 } = countsOf(call);
        work.multiplyAdds += rounds * multiplyAdds;
        work.operations += rounds * operations;
      }
    else {
      const outer = new Map(scanBuffers(step, program).map(({ name, value }) => [name, value]));
      const place = (name: string): Place => (outer.has(name) ? placeOf(outer.get(name)!) : "activations");
      add(work, workOf(step.body, elementBytes, place), step.length);
    }
  }
  return work;
}

/** A value that does not change along an axis is counted as read once. */
function addLoop(
  work: Work,
  { shape, loads, stores, operations, reductions }: PlanLoop<number>,
  touch: (value: number, elements: number) => void,
): void {
  const elements = shape.reduce((product, extent) => product * extent, 1);
  const apart = (strides: readonly number[]): number =>
    shape.reduce((product, extent, i) => product * (strides[i] === 0 ? 1 : extent), 1);
  for (const { value, strides } of [...loads, ...stores.map(({ to }) => to), ...reductions.map(({ to }) => to)])
    touch(value, apart(strides));
  const plain = operations.filter(([name]) => PLAIN.has(name)).length;
  work.operations += elements * (plain + reductions.length);
  work.functions += elements * (operations.length - plain);
}

const windows = ({ batch, outHeight, outWidth, kernelHeight, kernelWidth, inChannels }: ConvolutionShape): number =>
  batch * outHeight * outWidth * kernelHeight * kernelWidth * inChannels;

/** Operations of one round. Kernels that only move numbers have no operations. */
function countsOf({ kernel, args }: PlanCall<number>): { multiplyAdds?: number; operations?: number } {
  const n = args.flatMap((arg) => (arg.kind === "number" ? [arg.value] : []));
  const block = args.find((arg) => arg.kind === "indices");
  const shape = block && convolutionShapeOf(block.values);
  if (kernel === "gemm") return { multiplyAdds: n[2] * n[3] * n[4] };
  if (kernel === "convolution") return { multiplyAdds: (windows(shape!) / shape!.groups) * shape!.outChannels };
  if (kernel === "depthwise") return { multiplyAdds: windows(shape!) };
  if (kernel === "maxPool" || kernel === "averagePool") return { operations: windows(shape!) };
  if (kernel === "cumulativeSum") return { operations: n[0] * n[1] * n[2] };
  if (kernel === "triangularSolve") return { multiplyAdds: (n[0] * n[0] * n[1]) / 2 };
  if (kernel === "luSolve") return { multiplyAdds: n[0] * n[0] * n[1] };
  if (kernel !== "circulant") return {};
  // The spectrum of a real block of k numbers has k/2 complex values. A product of two spectra takes k/2 complex
  // products of 4 real multiply-adds each, and a transform takes k log₂ k operations.
  const [rows, p, q, k] = n;
  return { multiplyAdds: 2 * rows * p * q * k, operations: k * Math.ceil(31 - Math.clz32(k)) * (rows * (p + q) + p * q) };
}
