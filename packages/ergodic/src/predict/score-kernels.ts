import { scoresModule } from "../engine/memory/builds/scores.ts";

/** Kernels, described in kernels/predict/scores.ts. Addresses are in bytes. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly scoresF32: Scores;
  readonly scoresF64: Scores;
  readonly entriesF32: Entries;
  readonly entriesF64: Entries;
}

type Scores = (
  x: number,
  w: number,
  b: number,
  z: number,
  rows: number,
  columns: number,
  outputs: number,
  stride: number,
) => void;

type Entries = (
  x: number,
  columns: number,
  starts: number,
  w: number,
  z: number,
  row: number,
  rows: number,
  from: number,
  to: number,
  extra: number,
) => number;

/**
 * Largest memory of the kernels in bytes. It has room for 2²² weights and for blocks of rows. This memory is never
 * freed.
 */
const MOST = (1 << 25) + (1 << 18);

let made: Kernels | undefined | null;
/** Whether the kernels are in use. A row's getter can run user code that makes another prediction. */
let isBusy = false;

/**
 * Returns the kernels, or null on hosts that forbid code generation or lack SIMD. Without kernels, the plain loop gives
 * the same results, but takes longer.
 */
function kernels(): Kernels | null {
  if (made !== undefined) return made;
  try {
    const bytes = Uint8Array.from(atob(scoresModule), (character) => character.charCodeAt(0));
    made = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Kernels;
  } catch {
    made = null;
  }
  return made;
}

/**
 * Runs `work` with the kernels and with at least `bytes` of their memory.
 *
 * @returns false if `work` did not run: there are no kernels, they are in use, or the memory is too large
 */
export function withKernels(bytes: number, work: (kernels: Kernels, buffer: ArrayBuffer) => void): boolean {
  if (bytes > MOST) return false;
  const found = kernels();
  if (!found || isBusy) return false;
  const { memory } = found;
  const lacks = bytes - memory.buffer.byteLength;
  if (lacks > 0) memory.grow(Math.ceil(lacks / 65536));
  isBusy = true;
  try {
    work(found, memory.buffer as ArrayBuffer);
  } finally {
    isBusy = false;
  }
  return true;
}
