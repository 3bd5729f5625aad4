/**
 * Evaluates arrays for many draws of the parameters and many rows of data. Parts that depend only on the draw are
 * computed once per draw. Parts that depend only on the row are computed once per row. The rest is computed for each
 * row and draw.
 */
import { initialiseBlock, type LinkedArrays, linkArrays } from "../../engine/compiler/array/link.ts";
import type { ArrayProgram, Binding } from "../../engine/compiler/array/lowered.ts";
import { substituteArrays } from "../../engine/compiler/array/substitute.ts";
import { arraysBelow, input, type SymbolicArray } from "../../engine/compiler/index.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { own } from "../../engine/memory/memory.ts";
import { type Fixed, unmovedBelow, withoutInvariants } from "./invariants.ts";

/** Arrays to evaluate, with the inputs that are fixed, vary by row and vary by draw. */
export interface RowArrays {
  readonly name: string;
  readonly deterministic: boolean;
  readonly arrays: readonly SymbolicArray[];
  /** Data by input name. */
  readonly data: ReadonlyMap<string, Float64Array>;
  /** Inputs that a row supplies, in order, with their sizes. */
  readonly rows: ReadonlyMap<string, number>;
  /** Inputs that a draw supplies. The values of all draws are concatenated. */
  readonly draws: ReadonlyMap<string, Float64Array>;
  readonly drawCount: number;
}

/**
 * A pointer that advances from draw to draw. The pointer is described by its position among the block's words, its
 * start, and the number of bytes per draw.
 */
interface Step {
  readonly at: number;
  readonly start: number;
  readonly bytes: number;
}

const [DRAW, ROW] = ["draw", "row"];
const inputsBelow = (roots: readonly SymbolicArray[]): SymbolicArray[] => arraysBelow(roots).filter(({ op }) => op === "input");
const nameOf = ({ attributes }: SymbolicArray): string => String(attributes);
const sizeOfAll = (arrays: readonly SymbolicArray[]): number => arrays.reduce((sum, { size }) => sum + size, 0);

export class RowPrograms implements Disposable {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #count: number;
  readonly #row: number;
  readonly #rowSize: number;
  readonly #ofRow: Placed | undefined;
  readonly #ofBoth: Placed;
  readonly #steps: readonly Step[];
  readonly #values: readonly { readonly address: number; readonly length: number }[];

  constructor(engine: Engine, { name, deterministic, arrays: given, data, rows, draws, drawCount }: RowArrays) {
    this.#engine = engine;
    this.#count = drawCount;
    this.#arena = new Arena(engine.memory, `rows of model ${name}`);
    const arena = this.#arena;
    const place = (purpose: string, outputs: ArrayProgram["outputs"], inputs: Record<string, Binding> = {}): Placed =>
      new Placed(engine, { name: `${name} ${purpose}`, precision: "f64", inputs, outputs }, arena, deterministic);

    const isOfRow = (node: SymbolicArray): boolean => rows.has(nameOf(node));
    const isOfDraw = (node: SymbolicArray): boolean => draws.has(nameOf(node));
    const fixed: Fixed = new Map(data);
    const moved = withoutInvariants(given, fixed, (node) => isOfRow(node) || isOfDraw(node));
    const known = parted(moved, isOfRow, isOfDraw, DRAW);
    const ofRow = parted(
      known.arrays,
      (node) => nameOf(node).startsWith(`${DRAW} `),
      () => false,
      ROW,
    );
    const { arrays } = ofRow;

    this.#rowSize = [...rows.values()].reduce((sum, size) => sum + size, 0);
    this.#row = arena.take(8 * this.#rowSize);
    const addresses = new Map<string, number>();
    let at = this.#row;
    for (const [key, size] of rows) {
      addresses.set(key, at);
      at += 8 * size;
    }
    for (const node of inputsBelow([...known.parts, ...ofRow.parts, ...arrays])) {
      const values = fixed.get(nameOf(node));
      if (values && !addresses.has(nameOf(node))) addresses.set(nameOf(node), arena.copy(values));
    }

    const drawBytes = 8 * sizeOfAll(known.parts);
    const drawAddress = arena.take(drawBytes * drawCount);
    this.#fillDraws(place("draws", sideBySide(known.parts, DRAW)), { draws, addresses, drawBytes, drawAddress });

    addresses.set(ROW, arena.take(8 * sizeOfAll(ofRow.parts)));
    this.#ofRow = ofRow.parts.length === 0 ? undefined : place("row", sideBySide(ofRow.parts, ROW)).at(addresses);
    const outputs = arrays.map((value, k) => ({ value, buffer: `out ${k}`, offset: 0 }));
    this.#ofBoth = place("row and draw", outputs, { ...known.inputs, ...ofRow.inputs }).at(addresses);
    this.#values = arrays.map(({ size }) => ({ address: arena.take(8 * size * drawCount), length: size * drawCount }));
    this.#steps = this.#ofBoth.steps([
      [DRAW, drawAddress, drawBytes],
      ...arrays.map(({ size }, k) => [`out ${k}`, this.#values[k].address, 8 * size] as const),
    ]);
    arena.ownedBy(this, own);
  }

  /**
   * Evaluates the arrays for one row. `row`: the numbers of its inputs, in order. Returns each array's numbers, draw
   * after draw, as views that are valid until the next call.
   */
  run(row: Float64Array): Float64Array[] {
    const { memory } = this.#engine;
    memory.f64(this.#row, this.#rowSize).set(row);
    this.#ofRow?.run();
    this.#ofBoth.runEach(this.#steps, this.#count);
    return this.#values.map(({ address, length }) => memory.f64(address, length));
  }

  dispose(): void {
    this.#arena.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #fillDraws(
    program: Placed,
    given: Pick<RowArrays, "draws"> & { addresses: ReadonlyMap<string, number>; drawBytes: number; drawAddress: number },
  ): void {
    const { draws, addresses, drawBytes, drawAddress } = given;
    if (drawBytes === 0) return;
    const arena = new Arena(this.#engine.memory, "draws for rows");
    try {
      const read = program.buffers.filter((name) => draws.has(name));
      const steps = read.map((name) => {
        const values = draws.get(name)!;
        return [name, arena.copy(values), (8 * values.length) / this.#count] as const;
      });
      program.at(addresses).runEach(program.steps([...steps, [DRAW, drawAddress, drawBytes]]), this.#count);
    } finally {
      arena.dispose();
    }
  }
}

/**
 * Separates two kinds of parts from the rest of the program: nodes that depend on no moved input (see `isMoved`), and
 * inputs selected by `isPart`. The rest of the program reads the separated parts as inputs named after `buffer`.
 */
function parted(
  roots: readonly SymbolicArray[],
  isMoved: (node: SymbolicArray) => boolean,
  isPart: (node: SymbolicArray) => boolean,
  buffer: string,
) {
  const computed = [...unmovedBelow(roots, isMoved)];
  const below = substituteArrays(roots, new Map(computed.map((node) => [node, input("part", node.shape)])));
  const parts = [...computed, ...inputsBelow(below).filter(isPart)];
  const inputs: Record<string, Binding> = {};
  const standIns = new Map<SymbolicArray, SymbolicArray>();
  let offset = 0;
  for (const [i, part] of parts.entries()) {
    inputs[`${buffer} ${i}`] = { buffer, offset };
    standIns.set(part, input(`${buffer} ${i}`, part.shape));
    offset += part.size;
  }
  return { parts, inputs, arrays: substituteArrays(roots, standIns) };
}

function sideBySide(arrays: readonly SymbolicArray[], buffer: string): ArrayProgram["outputs"] {
  let offset = 0;
  return arrays.map((value) => {
    offset += value.size;
    return { value, buffer, offset: offset - value.size };
  });
}

/** A program with its block. */
class Placed {
  readonly #engine: Engine;
  readonly #linked: LinkedArrays;
  readonly #block: number;

  constructor(engine: Engine, program: ArrayProgram, arena: Arena, deterministic: boolean) {
    this.#engine = engine;
    this.#linked = linkArrays(engine, program, arena, deterministic);
    this.#block = arena.take(this.#linked.plan.bytes);
    initialiseBlock(engine, this.#linked.plan, this.#block);
  }

  /** Names of the buffers that the program reads and writes. */
  get buffers(): string[] {
    return Object.keys(this.#linked.plan.pointers);
  }

  /** Sets the pointers to the buffers that the program uses. */
  at(addresses: ReadonlyMap<string, number>): this {
    const { pointers } = this.#linked.plan;
    for (const name of this.buffers) {
      const address = addresses.get(name);
      if (address !== undefined) this.#engine.memory.u32(this.#block + pointers[name], 1)[0] = address;
    }
    return this;
  }

  steps(buffers: readonly (readonly [name: string, start: number, bytes: number])[]): Step[] {
    const { pointers } = this.#linked.plan;
    return buffers.flatMap(([name, start, bytes]) => (name in pointers ? [{ at: pointers[name] / 4, start, bytes }] : []));
  }

  run(): void {
    this.#linked.run.call(this.#block);
  }

  /** Runs once per draw. The draws' numbers are consecutive in memory. */
  runEach(steps: readonly Step[], count: number): void {
    const words = this.#engine.memory.u32(this.#block, this.#linked.plan.bytes / 4);
    const { run } = this.#linked;
    for (let s = 0; s < count; s++) {
      for (const { at, start, bytes } of steps) words[at] = start + s * bytes;
      run.call(this.#block);
    }
  }
}
