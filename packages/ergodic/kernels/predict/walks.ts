/**
 * Walks through decision trees. The kernel is a separate module with its own memory, which holds the trees of one model.
 *
 * NODE: 16 bytes: a threshold (f64), a place in the row (u32) and the address of the left child (u32), which is followed
 * by the right child. A row goes left if its number at the place is < the threshold. A leaf is its own left child. Its
 * place is 0, where every row has −∞, so a row that has reached a leaf stays there. The threshold of a leaf is its value
 * or, if leaves have several values, the address of the values.
 * If the place has the bit SET, the first four bytes of the node are the address of a set of categories: its number of
 * words and its words. A row goes right if the set contains its number, or if the number is NaN.
 *
 * Eight walks alternate, so that the processor need not wait for one of them, and no branch depends on a comparison.
 * Rows are stored in groups of eight: f64[groups][places][8]. A place is given in bytes from the beginning of its group.
 * z: f64[groups][outputs][8]. Values are added in the order of the trees, so the bits equal those of a plain loop.
 */

const SET: u32 = 1;

/** Type parameters: whether trees have sets (isFloat), and whether outputs are summed in float32 (size of 4 bytes). */
// @ts-ignore: decorator
@inline
function step<T>(n: usize, at: usize): usize {
  const place = load<u32>(n, 8);
  if (isFloat<T>()) {
    const x = load<f64>(at + (place & ~SET));
    if (place & SET) return load<u32>(n, 12) + (<usize>(x != x || contains(load<u32>(n), x)) << 4);
    return load<u32>(n, 12) + (<usize>!(x < load<f64>(n)) << 4);
  }
  return load<u32>(n, 12) + (<usize>!(load<f64>(at + place) < load<f64>(n)) << 4);
}

/** Bits of a reading, and the size up to which a number counts as zero: as in src/predict/trees/ensemble.ts. */
const MISSING_LEFT: u32 = 1;
const ZERO_MISSING: u32 = 4;
const NAN_IS_ZERO: u32 = 8;
const ZERO_SIZE: f64 = 1.0000000180025095e-35;

/** Returns a number as nodes with this reading see it: −∞ or NaN if it is missing and goes left or right. */
function placed(value: f64, reading: u32): f64 {
  const x = reading & NAN_IS_ZERO && value != value ? 0 : value;
  const isMissing = x != x || (reading & ZERO_MISSING && Math.abs(x) <= ZERO_SIZE);
  return isMissing ? (reading & MISSING_LEFT ? -Infinity : NaN) : x;
}

/**
 * Writes rows to their places. `given`: f64[rows][columns]. `table`: u32[places][2], the column of each place, from
 * place 1, and its reading. Numbers are rounded to float32 if `isF32`.
 */
export function placeRows(given: usize, rows: u32, columns: u32, table: usize, places: u32, at: usize, rowBytes: usize, isF32: bool): void {
  const rowSize = <usize>columns << 3;
  for (let p: u32 = 0; p < places; p++, table += 8) {
    const reading = load<u32>(table, 4);
    let from = given + (<usize>load<u32>(table) << 3), to = at + (<usize>(p + 1) << 6);
    for (let i: u32 = 0; i < rows; i++, from += rowSize) {
      let x = load<f64>(from);
      if (isF32) x = <f64><f32>x;
      store<f64>(to + ((i & 7) << 3), reading == 0 ? x : placed(x, reading));
      if ((i & 7) == 7) to += rowBytes;
    }
  }
}

function contains(set: usize, x: f64): bool {
  if (!(x > -1 && x < <f64>(load<u32>(set) << 5))) return false;
  const code = <u32>x;
  return ((load<u32>(set + (<usize>(code >>> 5) << 2), 4) >>> (code & 31)) & 1) == 1;
}

// @ts-ignore: decorator
@inline
function sum(z: f64, value: f64, isF32: bool): f64 {
  return isF32 ? <f64>(<f32>(z + value)) : z + value;
}

/** Adds a leaf to the outputs of one row, which are `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function add(n: usize, z: usize, stride: usize, width: u32, isF32: bool): void {
  if (width == 1) {
    store<f64>(z, sum(load<f64>(z), load<f64>(n), isF32));
    return;
  }
  let values = <usize>load<f64>(n);
  for (const end = values + (<usize>width << 3); values < end; values += 8, z += stride)
    store<f64>(z, sum(load<f64>(z), load<f64>(values), isF32));
}

function walk<T>(roots: usize, outputOf: usize, trees: u32, rows: usize, groups: u32, rowBytes: usize, z: usize, outputs: u32, width: u32, isF32: bool): void {
  for (const end = roots + (<usize>trees << 2); roots < end; roots += 4, outputOf += 4) {
    const root = <usize>load<u32>(roots);
    let at = rows, to = z + (<usize>load<u32>(outputOf) << 6);
    for (let g: u32 = 0; g < groups; g++) {
      let n0 = root, n1 = root, n2 = root, n3 = root, n4 = root, n5 = root, n6 = root, n7 = root;
      while (true) {
        const m0 = step<T>(n0, at), m1 = step<T>(n1, at + 8), m2 = step<T>(n2, at + 16), m3 = step<T>(n3, at + 24);
        const m4 = step<T>(n4, at + 32), m5 = step<T>(n5, at + 40), m6 = step<T>(n6, at + 48), m7 = step<T>(n7, at + 56);
        const moved = (m0 ^ n0) | (m1 ^ n1) | (m2 ^ n2) | (m3 ^ n3) | (m4 ^ n4) | (m5 ^ n5) | (m6 ^ n6) | (m7 ^ n7);
        if (!moved) break;
        n0 = m0; n1 = m1; n2 = m2; n3 = m3; n4 = m4; n5 = m5; n6 = m6; n7 = m7;
      }
      add(n0, to, 64, width, isF32);
      add(n1, to + 8, 64, width, isF32);
      add(n2, to + 16, 64, width, isF32);
      add(n3, to + 24, 64, width, isF32);
      add(n4, to + 32, 64, width, isF32);
      add(n5, to + 40, 64, width, isF32);
      add(n6, to + 48, 64, width, isF32);
      add(n7, to + 56, 64, width, isF32);
      at += rowBytes;
      to += <usize>outputs << 6;
    }
  }
}

/** Walks of one row, the first of its group, through eight trees at a time. The last trees can be walked in vain. */
function walkOne<T>(roots: usize, outputOf: usize, trees: u32, at: usize, z: usize, width: u32, isF32: bool): void {
  for (let left: i32 = trees; left > 0; left -= 8, roots += 32, outputOf += 32) {
    let n0: usize = load<u32>(roots), n1: usize = load<u32>(roots, 4), n2: usize = load<u32>(roots, 8), n3: usize = load<u32>(roots, 12);
    let n4: usize = load<u32>(roots, 16), n5: usize = load<u32>(roots, 20), n6: usize = load<u32>(roots, 24), n7: usize = load<u32>(roots, 28);
    while (true) {
      const m0 = step<T>(n0, at), m1 = step<T>(n1, at), m2 = step<T>(n2, at), m3 = step<T>(n3, at);
      const m4 = step<T>(n4, at), m5 = step<T>(n5, at), m6 = step<T>(n6, at), m7 = step<T>(n7, at);
      const moved = (m0 ^ n0) | (m1 ^ n1) | (m2 ^ n2) | (m3 ^ n3) | (m4 ^ n4) | (m5 ^ n5) | (m6 ^ n6) | (m7 ^ n7);
      if (!moved) break;
      n0 = m0; n1 = m1; n2 = m2; n3 = m3; n4 = m4; n5 = m5; n6 = m6; n7 = m7;
    }
    add(n0, z + (<usize>load<u32>(outputOf) << 6), 64, width, isF32);
    if (left > 1) add(n1, z + (<usize>load<u32>(outputOf, 4) << 6), 64, width, isF32);
    if (left > 2) add(n2, z + (<usize>load<u32>(outputOf, 8) << 6), 64, width, isF32);
    if (left > 3) add(n3, z + (<usize>load<u32>(outputOf, 12) << 6), 64, width, isF32);
    if (left > 4) add(n4, z + (<usize>load<u32>(outputOf, 16) << 6), 64, width, isF32);
    if (left > 5) add(n5, z + (<usize>load<u32>(outputOf, 20) << 6), 64, width, isF32);
    if (left > 6) add(n6, z + (<usize>load<u32>(outputOf, 24) << 6), 64, width, isF32);
    if (left > 7) add(n7, z + (<usize>load<u32>(outputOf, 28) << 6), 64, width, isF32);
  }
}

/**
 * Adds trees to the outputs of rows. `roots` and `outputOf`: u32[trees + 7], the address and the output of each tree;
 * the last seven must be the addresses of nodes. `rows`: number of rows; of a single row, only the first number of each
 * place is read. `rowBytes`: size of a group.
 */
export function walks(
  roots: usize, outputOf: usize, trees: u32, at: usize, rows: u32, rowBytes: usize, z: usize, outputs: u32, width: u32,
  isF32: bool, hasSets: bool,
): void {
  if (rows == 1) {
    if (hasSets) walkOne<f64>(roots, outputOf, trees, at, z, width, isF32);
    else walkOne<u32>(roots, outputOf, trees, at, z, width, isF32);
    return;
  }
  const groups = (rows + 7) >>> 3;
  if (hasSets) walk<f64>(roots, outputOf, trees, at, groups, rowBytes, z, outputs, width, isF32);
  else walk<u32>(roots, outputOf, trees, at, groups, rowBytes, z, outputs, width, isF32);
}
