/**
 * Loops of the kernels that a plan can reach, with numbers near 2^31 and near the end of addresses. Each call is
 * refused by the check of plans, exceeds the work limit per row, or ends. The kernels come from the table of the check,
 * so that new kernels are included. Only this test detects overflowing counters, because other tests need arrays to
 * count over.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import type { PlanArgument, PlanLoop, PlanProgram } from "../../src/engine/memory/array-plan.ts";
import { buildFiles } from "../../src/engine/memory/builds/files.ts";
import { elementwiseCode } from "../../src/engine/memory/elementwise.ts";
import { familyOfArrayKernel } from "../../src/engine/memory/families.ts";
import { MAX_WORK } from "../../src/predict/limits.ts";
import { checkProgram } from "../../src/predict/plan/check.ts";
import { MOST_COUNT, planKernels, rolesOf, touchedBy, writesNothing } from "../../src/predict/plan/kernel-rules.ts";
import { workOf } from "../../src/predict/plan/work.ts";
import { isSlow, power } from "../power.ts";

const kernels = fileURLToPath(new URL("../../kernels/", import.meta.url));

/** Kernels that the steps of a plan call outside of the table. */
const OF_STEPS = ["elementwise", "zero", "copy", "areFinite"];

/** Source files of the kernels and their imports. */
function filesOf(names: readonly string[]): string[] {
  const files = new Set<string>();
  const look = (file: string): void => {
    if (files.has(file) || !file.startsWith(kernels) || !existsSync(file)) return;
    files.add(file);
    for (const [, from] of readFileSync(file, "utf8").matchAll(/ from "(.*)"/g)) look(`${join(dirname(file), from)}.ts`);
  };
  for (const name of names) {
    const family = readFileSync(join(kernels, "families", `${familyOfArrayKernel(name)}.ts`), "utf8");
    const line = family.split("\n").find((one) => one.startsWith("export") && new RegExp(`\\b${name}(F32)?\\b`).test(one));
    expect(line, name).toBeDefined();
    look(`${join(kernels, "families", /from "(.*)"/.exec(line!)![1])}.ts`);
  }
  return [...files];
}

/** Loops by their condition and increment: "i < n | i++". */
function loopsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isForStatement(node)) found.push(`${node.condition?.getText() ?? ""} | ${node.incrementor?.getText() ?? ""}`);
    if (ts.isWhileStatement(node) || ts.isDoStatement(node)) found.push(`${node.expression.getText()} | `);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  return found;
}

/** Small numbers and constants, and the size of an element. */
const STEP = String.raw`(?:\d+|(?:field\.)?[A-Z_]{3,}(?: \* [A-Z_]{3,})?|sizeof<T>\(\)|2 \* sizeof<T>\(\)|lanes)`;
const ENDS: readonly RegExp[] = [
  // Counts down to a bound that is at least the step.
  new RegExp(String.raw`^(\w+) (?:> 0|>= \w+) \| \1(?:--| -= ${STEP})$`),
  /^(\w+)-- > 0 \| $/,
  /^(\w+) > 0 \| \1 >>= 1$/,
  /^(\w+) >= 8 \| \1 >>= 1$/,
  /^(\w+) >= 0 \| \1--$/,
  // Counts up to a bound. The numbers of a plan cannot put the bound within a step of 2^31, nor an array's end within a
  // page of 2^32.
  new RegExp(
    String.raw`^(?:\w+ (?:> 0 )?&& )?(\w+)(?: \+ ${STEP})? (?:<|<=|!=) [^&|]+?(?: && \w+)? \| \1(?:\+\+| \+= ${STEP})(?:, .*)?$`,
  ),
];
/** All other loops, with the reason why they end. */
const OTHERS: Readonly<Record<string, string>> = {
  " | ": "over places of the outer axes, which are counted up to their extents",
  "access < end | access += accessBytes": "records of a loop's code",
  "access < presets | access += accessBytes, register += 4, cache += FILLED_BYTES": "records of a loop's code",
  "access < reductions | access += accessBytes": "records of a loop's code",
  "b != end | ": "k steps, to b + k · step, in the arithmetic of addresses",
  "columns >= lanes | ": "takes at least `lanes` away",
  "f < quarter | f += 2 * half": "half is at least 1, quarter at most 1024",
  "from < cells | from += band": "a band is at least one cell and at most all: twice as many are below 2^31",
  "h < yHeight | h += band": "a band is at least one row and at most 16384",
  "i < p | i += most": "at least one row of blocks, at most 32",
  "j < n | j += columnsOfBlock": "512 columns at most",
  "p < k | p += depthOfBlock": "from 1 to 256",
  "m < k | m <<= 1": "k is at most 4096",
  "q < cells | q = q + 1 == low ? high : q + 1": "high is no less than low",
  "q < cells | q = q + 1 == low ? whole : q + 1": "whole is no less than low",
  "rows > 0 | rows -= vectors * lanes": "of a row or more there is at least one vector",
  "rowsLeft > 0 | rowsLeft -= rows": "from 1 to 256",
  "work < end | work += width": "k and the width are powers of two, at most 4096 and at least 8",
  "x + step <= end | x += step": "16 or 32 bytes",
  "at & bit | ": "clears a bit",
  "b | ": "Euclid's",
  "left >= 16 | ": "of whole numbers, of which plans have none",
  "rest >= 4 | ": "takes 4 away",
  "tap < period && (phase + pad - tap * dilation) % stride != 0 | ": "counts taps up to the period",
  "x < end16 | ": "64 bytes a round, from and to places within one array",
  "x < end8 | ": "64 bytes a round, from and to places within one array",
};

describe("loops in kernel sources", () => {
  const files = filesOf([...planKernels(), ...OF_STEPS]);
  const loops = files.flatMap((file) => loopsOf(file).map((loop) => ({ file: file.slice(kernels.length), loop })));

  it("have a form that ends, or a stated reason", () => {
    const strange = loops.filter(({ loop }) => !Object.hasOwn(OTHERS, loop) && !ENDS.some((form) => form.test(loop)));
    expect(strange).toEqual([]);
    const there = new Set(loops.map(({ loop }) => loop));
    expect(Object.keys(OTHERS).filter((loop) => !there.has(loop))).toEqual([]);
  });

  it("are all found, and can step past the largest count without overflow", () => {
    expect(files.length).toBeGreaterThan(25);
    expect(loops.length).toBeGreaterThan(200);
    expect(2 * MOST_COUNT).toBeLessThanOrEqual(2 ** 31);
  });
});

interface Case {
  readonly name: string;
  readonly args: readonly number[];
  /** Words to store at an address before the call. */
  readonly words?: { readonly at: number; readonly of: readonly number[] };
}

const HEAP = 2 ** 20;
const [APART, PIECES] = [2 ** 16, 16];
/** Address of a call's k-th argument. The last piece is scratch. */
const placeOf = (k: number): number => HEAP + k * APART;
const SCRATCH = placeOf(PIECES);
const SCRATCH_BYTES = 2 ** 21;
/** Number of elements in a piece. */
const SMALL = APART / 8 / 2;

/** Limit on seconds of processor time per call. Any call within the work limit per row takes less. */
const LONGEST = 20;

/** Makes the calls on a thread that can be terminated. @returns the call that does not end or that kills the thread */
async function ends(cases: readonly Case[]): Promise<string | undefined> {
  const families = [...new Set(cases.map(({ name }) => familyOfArrayKernel(name.replace(/F(32|64)$/, ""))))];
  const builds = fileURLToPath(new URL("../../src/engine/memory/builds/", import.meta.url));
  const modules = families.map((family) => new WebAssembly.Module(readFileSync(join(builds, buildFiles[`${family}-simd`].file))));
  const memory = new WebAssembly.Memory({ initial: (SCRATCH + SCRATCH_BYTES) / 65536, maximum: 65536, shared: true });
  const at = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { workerData: { modules, memory, cases, at } } = require("node:worker_threads");
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 1024 });
    const exported = Object.assign({}, ...modules.map((one) => new WebAssembly.Instance(one, { env: { memory, table } }).exports));
    for (const { name, args, words } of cases) {
      if (words) new Uint32Array(memory.buffer, words.at, words.of.length).set(words.of);
      exported[name](...args);
      Atomics.add(at, 0, 1);
    }`,
    { eval: true, workerData: { modules, memory, cases, at } },
  );
  let failed: string | undefined;
  worker.once("error", (error) => {
    failed = `${JSON.stringify(cases[at[0]])}: ${error.message}`;
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let last = { at: 0, cpu: process.cpuUsage() };
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(last.cpu);
    if (at[0] !== last.at) last = { at: at[0], cpu: process.cpuUsage() };
    else if ((user + system) / 1e6 > LONGEST) {
      failed = `${JSON.stringify(cases[last.at])} does not end`;
      void worker.terminate();
    }
  }, 50);
  await ended;
  clearInterval(timer);
  return failed ?? (at[0] < cases.length ? `${JSON.stringify(cases[at[0]])} ended the thread` : undefined);
}

const PAIRED = new Set([2 ** 16 + 1, 2 ** 30 - 1]);

/** Counts at which an i32 overflows within a step or two. At full power, also their neighbours. */
const COUNTS = [
  ...[2 ** 13, 2 ** 16 + 1, 2 ** 30 - 1, 2 ** 30 + 1, 2 ** 31 - 255, 2 ** 31 - 3, 2 ** 31 - 1],
  ...(isSlow ? [2 ** 24, 2 ** 29, 2 ** 30, 2 ** 31 - 256, 2 ** 31 - 32] : []),
];
/** Both types have the loops of one generic source. Narrow elements have more lanes, and therefore longer steps. */
const ELEMENTS = isSlow ? ([4, 8] as const) : ([4] as const);
/** Also counts of elements that reach from a call's pieces to the end of addresses. */
const edges = (elementBytes: number): number[] => [
  ...COUNTS,
  ...[5, 6, 7].flatMap((k) => [8, 48, 80].map((d) => Math.floor((2 ** 32 - placeOf(k) - d) / elementBytes))),
];

/** Lists of only 0 or only 1, and lists with one number replaced by the other. */
const bits = (length: number): number[][] =>
  [0, 1].flatMap((bit) => {
    const all = new Array<number>(length).fill(bit);
    return [all, ...all.map((_, k) => replaced(all, k, 1 - bit))];
  });

const replaced = (list: readonly number[], k: number, value: number): number[] => list.map((one, i) => (i === k ? value : one));

/** The base lists, lists with one number at an edge, and lists with two numbers at the same edge. */
function* atEdges(bases: readonly number[][], edgesOf: readonly number[]): Generator<number[]> {
  yield* bases;
  for (const base of bases)
    for (const i of base.keys())
      for (const edge of edgesOf) {
        const one = replaced(base, i, edge);
        yield one;
        if (!PAIRED.has(edge)) continue;
        for (let j = i + 1; j < base.length; j++) yield replaced(one, j, edge);
      }
}

interface Tally {
  refused: number;
  work: number;
  memory: number;
  /** Calls that write nothing and are therefore skipped. */
  idle: number;
  readonly run: Case[];
}

function sorted(kernel: string, elementBytes: 4 | 8, calls: Iterable<number[]>, isShape: boolean): Tally {
  const roles = rolesOf(kernel, "test");
  const tally: Tally = { refused: 0, work: 0, memory: 0, idle: 0, run: [] };
  for (const numbers of calls) {
    const left = isShape ? [0] : [...numbers];
    const args = roles.map((role): PlanArgument<number> => {
      if (role === "count") return { kind: "number", value: left.shift()! };
      if (role === "shape") return { kind: "indices", values: numbers };
      return role === "scratch" ? { kind: "scratch", bytes: 0 } : { kind: "value", value: 0, offset: 0 };
    });
    const call = { kernel, args, repeat: [] };
    let touched: ReturnType<typeof touchedBy>;
    try {
      touched = touchedBy(call, elementBytes, "test");
    } catch (error) {
      if (!(error instanceof ErgodicError)) throw error;
      tally.refused++;
      continue;
    }
    if (!(touched.work <= MAX_WORK)) tally.work++;
    else if (Math.max(...touched.elements) > SMALL || touched.scratchBytes > SCRATCH_BYTES) tally.memory++;
    else if (writesNothing(call, elementBytes, "test")) tally.idle++;
    else {
      const given = args.map((arg, k) => (arg.kind === "number" ? arg.value : arg.kind === "scratch" ? SCRATCH : placeOf(k)));
      const at = args.findIndex(({ kind }) => kind === "indices");
      const name = `${kernel}${elementBytes === 8 ? "F64" : "F32"}`;
      tally.run.push({ name, args: given, ...(at >= 0 && { words: { at: placeOf(at), of: numbers } }) });
    }
  }
  return tally;
}

/** Shapes of one cell, or without rows, columns or channels. */
const shapes = (isDepthwise: boolean): number[][] =>
  bits(7).map((sizes) => [...sizes, 1, 1, 1, 1, 0, 0, 1, 1, isDepthwise ? Math.max(1, sizes[3]) : 1]);

describe.each(planKernels())("%s", (kernel) => {
  it.each(ELEMENTS)("is refused, exceeds the work limit, or ends with %d bytes per element", async (elementBytes) => {
    const roles = rolesOf(kernel, "test");
    const isShape = roles.includes("shape");
    const length = isShape ? 16 : roles.filter((role) => role === "count").length;
    // Half of the shapes lack more than one extent. The others lack at most one.
    const all = isShape ? shapes(kernel.startsWith("depthwise")) : bits(length);
    const bases = isSlow || !isShape ? all : all.slice(all.length / 2);
    const tally = sorted(kernel, elementBytes, atEdges(bases, edges(elementBytes)), isShape);
    expect(tally.refused).toBeGreaterThan(0);
    expect(tally.run.length).toBeGreaterThan(0);
    expect(tally.work + tally.memory + tally.idle).toBeGreaterThan(0);
    expect(await ends(tally.run)).toBe(undefined);
  });
});

describe("loops in plans", () => {
  it.each(ELEMENTS)("are refused, exceed the work limit, or end with %d bytes per element", async (elementBytes) => {
    const run: Case[] = [];
    let refused = 0;
    const access = (rank: number) => ({ value: 0, offset: 0, strides: new Array<number>(rank).fill(0) });
    const program = (shape: number[], isIdle: boolean): PlanProgram<number> => {
      const own = access(shape.length);
      const parts = isIdle ? { loads: [], stores: [] } : { loads: [own], stores: [{ to: own, from: 0 }] };
      const loop = { kind: "loop", shape, constants: [], operations: [], reductions: [], ...parts } as PlanLoop<number>;
      return { values: [{ size: 4, home: { kind: "workspace" } }], steps: [loop] };
    };
    for (const edge of COUNTS)
      for (const shape of [
        [edge],
        [1, edge],
        [edge, 1],
        [edge, 2],
        [2, edge],
        [3, edge],
        [edge, 257],
        [edge, 1, 1],
        [edge, 2, 2],
      ])
        for (const isIdle of [true, false]) {
          const made = program(shape, isIdle);
          try {
            checkProgram(made, new Map(), elementBytes, "test");
          } catch (error) {
            if (!(error instanceof ErgodicError)) throw error;
            refused++;
            continue;
          }
          if (workOf(made, elementBytes, "test") > (shape.length === 1 ? MAX_WORK : power(3e9, MAX_WORK))) continue;
          const { words } = elementwiseCode(made.steps[0] as never, elementBytes);
          // The table of values is the first piece and contains the address of the second.
          const code = [placeOf(1), 0, 0, 0, ...words];
          const args = [placeOf(0) + 16, placeOf(0), SCRATCH];
          run.push({ name: elementBytes === 8 ? "elementwiseF64" : "elementwiseF32", args, words: { at: placeOf(0), of: code } });
        }
    expect(refused).toBeGreaterThan(20);
    expect(run.length).toBeGreaterThan(20);
    expect(await ends(run)).toBe(undefined);
  });
});
