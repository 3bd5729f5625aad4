/**
 * Small handwritten WebAssembly modules for tests. Like emitted modules, each imports a shared env.memory, and
 * env.table.
 */
const I32 = 0x7f;
const F64 = 0x7c;

function section(id: number, ...items: number[][]): number[] {
  const content = [items.length, ...items.flat()];
  return [id, content.length, ...content];
}

const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];

interface Source {
  name: string;
  parameters: number[];
  results: number[];
  body: number[];
}

function assemble(functions: Source[]): Uint8Array {
  const bodies = functions.map(({ body }) => [body.length + 2, 0, ...body, 0x0b]);
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      ...functions.map(({ parameters, results }) => [0x60, parameters.length, ...parameters, results.length, ...results]),
    ),
    // Shared memory of 16 to 65536 pages, and a table of at least one function.
    ...section(
      2,
      [...name("env"), ...name("memory"), 2, 3, 16, 0x80, 0x80, 0x04],
      [...name("env"), ...name("table"), 1, 0x70, 0, 1],
    ),
    ...section(3, ...functions.map((_, i) => [i])),
    ...section(7, ...functions.map((f, i) => [...name(f.name), 0, i])),
    ...section(10, ...bodies),
  ]);
}

const get = (local: number) => [0x20, local];
const ATOMIC_LOAD = [0xfe, 0x10, 2, 0];
const ATOMIC_ADD = [0xfe, 0x1e, 2, 0];
const ONE = [0x41, 1];

/** add(x, y) = x + y and twice(slot, x) = table[slot](x, x). */
export const arithmetic = assemble([
  { name: "add", parameters: [F64, F64], results: [F64], body: [...get(0), ...get(1), 0xa0] },
  { name: "twice", parameters: [I32, F64], results: [F64], body: [...get(1), ...get(1), ...get(0), 0x11, 0, 0] },
]);

/**
 * meet(counter, tries): adds one to the i32 at `counter` and polls until it is 2. Returns the remaining tries, or 0 if
 * no other call arrived. await(started, gate, ended): adds one to `started`, spins until the i32 at `gate` is not 0,
 * and adds one to `ended`. trap(x): unreachable.
 */
export const threads = assemble([
  {
    name: "meet",
    parameters: [I32, I32],
    results: [I32],
    // loop: if counter < 2 and --tries > 0, continue
    body: [
      ...[...get(0), ...ONE, ...ATOMIC_ADD, 0x1a],
      ...[0x03, 0x40, ...get(0), ...ATOMIC_LOAD, 0x41, 2, 0x48],
      ...[0x04, 0x40, ...get(1), ...ONE, 0x6b, 0x22, 1, 0x0d, 1, 0x0b, 0x0b],
      ...get(1),
    ],
  },
  {
    name: "await",
    parameters: [I32, I32, I32],
    results: [],
    body: [
      ...[...get(0), ...ONE, ...ATOMIC_ADD, 0x1a],
      ...[0x03, 0x40, ...get(1), ...ATOMIC_LOAD, 0x45, 0x0d, 0, 0x0b],
      ...[...get(2), ...ONE, ...ATOMIC_ADD, 0x1a],
    ],
  },
  { name: "trap", parameters: [F64], results: [F64], body: [0x00] },
]);
