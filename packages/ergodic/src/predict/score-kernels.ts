import { scoresModule } from "../engine/memory/builds/scores.ts";

/** As kernels/predict/scores.ts describes them; addresses are in bytes. */
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

/** The most bytes that their memory may have, none of which is ever given back: 2²² weights, and room for blocks of rows. */
const MOST = (1 << 25) + (1 << 18);

let made: Kernels | undefined | null;
/** A row may be an object that predicts, too, while it is read. */
let isBusy = false;

/** Null on hosts that forbid to make code, or lack SIMD: nothing is lost but time. */
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
 * Runs `work` with the kernels and at least so many bytes of their memory.
 *
 * @returns false where it did not: there are no kernels, they are at work, or it is too much
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
