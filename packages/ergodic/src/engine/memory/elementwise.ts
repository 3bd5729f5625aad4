/**
 * Encodes element-wise loops for kernels/engine/arrays/elementwise.ts. Merges axes if this does not change the result,
 * allocates registers, and writes the words.
 *
 * Values are indexed in this order: the loads, the constants, and the results of operations. Operations, stores and
 * reductions use these indices for their arguments. A register is reused when its value is no longer needed.
 */
import { DataError } from "../errors/errors.ts";
import * as field from "./fields.ts";

/**
 * Access to the elements of array number `value` in a table of addresses. `offset` and the strides over the loop's
 * shape are in elements.
 */
export interface ElementwiseAccess<N = number> {
  readonly value: number;
  readonly offset: N;
  readonly strides: readonly N[];
}

export type ElementwiseReduction = "sum" | "maximum" | "minimum";

/**
 * An element-wise loop. `N`: type of the loop's counts. A count is a number, or an expression in the batch size
 * (array-plan.ts).
 */
export interface ElementwiseLoop<N = number> {
  readonly shape: readonly N[];
  readonly loads: readonly ElementwiseAccess<N>[];
  readonly constants: readonly number[];
  readonly operations: readonly (readonly [name: string, ...args: number[]])[];
  readonly stores: readonly { readonly to: ElementwiseAccess<N>; readonly from: number }[];
  /** `size`: number of elements in the whole result. `to` has stride 0 along reduced axes. */
  readonly reductions: readonly {
    readonly kind: ElementwiseReduction;
    readonly to: ElementwiseAccess<N>;
    readonly size: N;
    readonly from: number;
  }[];
}

/** OP code and arity of each operation, by the name of the compiler's primitive. */
export const elementwiseOperations: Readonly<Record<string, readonly [code: number, arity: number]>> = {
  stopGradient: [field.OP_COPY, 1],
  add: [field.OP_ADD, 2],
  sub: [field.OP_SUB, 2],
  mul: [field.OP_MUL, 2],
  div: [field.OP_DIV, 2],
  neg: [field.OP_NEG, 1],
  square: [field.OP_SQUARE, 1],
  min: [field.OP_MIN, 2],
  max: [field.OP_MAX, 2],
  abs: [field.OP_ABS, 1],
  sign: [field.OP_SIGN, 1],
  floor: [field.OP_FLOOR, 1],
  sqrt: [field.OP_SQRT, 1],
  less: [field.OP_LESS, 2],
  lessEqual: [field.OP_LESS_EQUAL, 2],
  equal: [field.OP_EQUAL, 2],
  and: [field.OP_AND, 2],
  or: [field.OP_OR, 2],
  not: [field.OP_NOT, 1],
  where: [field.OP_WHERE, 3],
  exp: [field.OP_EXP, 1],
  expm1: [field.OP_EXPM1, 1],
  tanh: [field.OP_TANH, 1],
  sigmoid: [field.OP_SIGMOID, 1],
  log: [field.OP_LOG, 1],
  log1p: [field.OP_LOG1P, 1],
  softplus: [field.OP_SOFTPLUS, 1],
  pow: [field.OP_POW, 2],
  cos: [field.OP_COS, 1],
  sin: [field.OP_SIN, 1],
  round: [field.OP_ROUND, 1],
  atan: [field.OP_ATAN, 1],
  erf: [field.OP_ERF, 1],
  erfc: [field.OP_ERFC, 1],
  lgamma: [field.OP_LGAMMA, 1],
  digamma: [field.OP_DIGAMMA, 1],
  trigamma: [field.OP_TRIGAMMA, 1],
};

const REDUCTIONS: Readonly<Record<ElementwiseReduction, number>> = {
  sum: field.REDUCE_SUM,
  maximum: field.REDUCE_MAXIMUM,
  minimum: field.REDUCE_MINIMUM,
};

export interface ElementwiseCode {
  readonly words: Uint32Array;
  /** Number of bytes of `scratch`, which must be 16-byte aligned. */
  readonly scratchBytes: number;
}

/** Returns the words and the scratch size of a loop. @throws DataError for unknown operations or values */
export function elementwiseCode(loop: ElementwiseLoop, elementBytes: 4 | 8, where = "elementwise"): ElementwiseCode {
  const axes = joinedAxes(loop);
  const shape = axes.map((axis) => axis.reduce((size, i) => size * loop.shape[i], 1));
  const { operations, count, registerOf } = withRegisters(loop, where);
  const words: number[] = [];
  const add = (bytes: number, fields: readonly (readonly [at: number, value: number])[]): void => {
    const record = words.length;
    for (let at = 0; at < bytes; at += 4) words.push(0);
    for (const [at, value] of fields) words[record + at / 4] = value;
  };
  add(field.LOOP_SHAPE, [
    [field.LOOP_RANK, axes.length],
    [field.LOOP_REGISTERS, count],
    [field.LOOP_LOADS, loop.loads.length],
    [field.LOOP_CONSTANTS, loop.constants.length],
    [field.LOOP_OPERATIONS, operations.length],
    [field.LOOP_STORES, loop.stores.length],
    [field.LOOP_REDUCTIONS, loop.reductions.length],
  ]);
  words.push(...shape);
  const write = (access: ElementwiseAccess, register: number, kind = 0, size = 0): void => {
    // The stride of a merged axis is the stride of its last original axis.
    const strides = axes.map((axis) => (axis.length === 0 ? 0 : access.strides[axis[axis.length - 1]]));
    add(field.ACCESS_STRIDES, [
      [field.ACCESS_VALUE, access.value],
      [field.ACCESS_OFFSET, access.offset],
      [field.ACCESS_REGISTER, register],
      [field.ACCESS_REDUCTION, kind],
      [field.ACCESS_SIZE, size],
    ]);
    words.push(...strides);
  };
  for (const [i, access] of loop.loads.entries()) write(access, i);
  for (const [i, value] of loop.constants.entries()) {
    const [low, high] = new Uint32Array(Float64Array.of(value).buffer);
    add(field.PRESET_BYTES, [
      [field.PRESET_REGISTER, loop.loads.length + i],
      [field.PRESET_VALUE_F64, low],
      [field.PRESET_VALUE_F64 + 4, high],
    ]);
  }
  for (const [code, result, first, second, third] of operations)
    add(field.OPERATION_BYTES, [
      [field.OPERATION_CODE, code],
      [field.OPERATION_RESULT, result],
      [field.OPERATION_FIRST, first],
      [field.OPERATION_SECOND, second],
      [field.OPERATION_THIRD, third],
    ]);
  for (const { to, from } of loop.stores) write(to, registerOf(from));
  for (const { kind, to, size, from } of loop.reductions) write(to, registerOf(from), REDUCTIONS[kind], size);
  const head = 4 * count + 8 * loop.loads.length + 4 * axes.length;
  const accumulated = elementBytes === 8 ? 0 : loop.reductions.reduce((sum, { size }) => sum + 8 * size, 0);
  const registers = count * field.REGISTER_ELEMENTS * elementBytes;
  return {
    words: Uint32Array.from(words, (word) => word >>> 0),
    scratchBytes: Math.ceil(head / 16) * 16 + registers + accumulated,
  };
}

/**
 * Returns axes with more than one element. Neighbouring axes are merged if every access can traverse them as one axis.
 * The result has at least two axes, because the kernel processes tiles.
 */
function joinedAxes({ shape, loads, stores, reductions }: ElementwiseLoop): number[][] {
  const accesses = [...loads, ...[...stores, ...reductions].map(({ to }) => to)];
  const joined: number[][] = [];
  for (const [i, extent] of shape.entries()) {
    if (extent === 1) continue;
    const last = joined[joined.length - 1];
    const outer = last?.[last.length - 1];
    if (last && accesses.every(({ strides }) => strides[outer] === strides[i] * extent)) last.push(i);
    else joined.push([i]);
  }
  while (joined.length < 2) joined.unshift([]);
  return joined;
}

interface Registers {
  /** OP code, register of the result, and registers of three arguments. */
  readonly operations: number[][];
  readonly count: number;
  readonly registerOf: (value: number) => number;
}

function withRegisters({ loads, constants, operations, stores, reductions }: ElementwiseLoop, where: string): Registers {
  const given = loads.length + constants.length;
  const lastUse = new Map<number, number>();
  for (const [i, [, ...args]] of operations.entries()) for (const arg of args) lastUse.set(arg, i);
  for (const { from } of [...stores, ...reductions]) lastUse.set(from, Infinity);
  const known = Array.from({ length: given }, (_, i) => i);
  const free: number[] = [];
  let count = given;
  const registerOf = (value: number): number => {
    if (known[value] === undefined) throw damaged(where, `names the value ${value}, but has ${known.length} values`);
    return known[value];
  };
  const made = operations.map(([name, ...args], i) => {
    const [code, arity] = Object.hasOwn(elementwiseOperations, name) ? elementwiseOperations[name] : [];
    if (code === undefined) throw unknownOperation(where, name);
    if (args.length !== arity) throw damaged(where, `gives ${args.length} arguments to ${name}, which takes ${arity}`);
    const from = args.map(registerOf);
    // The result takes over the register of an argument that is used for the last time. This is safe because operations
    // proceed element by element.
    for (const arg of new Set(args)) if (arg >= given && lastUse.get(arg) === i) free.push(known[arg]);
    const to = free.pop() ?? count++;
    known.push(to);
    return [code, to, ...from, ...new Array<number>(3 - from.length).fill(from[0])];
  });
  // A loaded value is copied before it is stored, because a load can be read in place, and another store of this loop
  // could overwrite its memory.
  const copies = new Map<number, number>();
  if (stores.length > 1) for (const { from } of stores) if (from < loads.length && !copies.has(from)) copies.set(from, count++);
  for (const [from, to] of copies) made.push([field.OP_COPY, to, from, from, from]);
  return { operations: made, count, registerOf: (value) => copies.get(value) ?? registerOf(value) };
}

const damaged = (where: string, what: string): DataError =>
  new DataError(where, `the plan ${what}; the file is damaged, export it again`, "MODEL_FORMAT");

function unknownOperation(where: string, name: string): DataError {
  return new DataError(where, `uses the operation "${name}", which this library does not know; update ergodic`, "MODEL_VERSION");
}
