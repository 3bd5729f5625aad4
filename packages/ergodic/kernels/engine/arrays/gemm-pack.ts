/**
 * Copies a block of an operand into the order in which a tile (kernels/engine/arrays/gemm-tile.ts) reads it.
 *
 * A packed block is a sequence of pieces, each `lanes` wide and `depth` deep. With j counted over all pieces, element
 * [p, j] of the block is at target + (floor(j / lanes) · depth + p) · lanes + j % lanes, in elements. The last piece is
 * padded with zeros. Values are copied exactly. `lanes` is a multiple of the number of elements in a v128 and is known
 * at compile time.
 *
 * packAcross: rows p of the stored block are `step` bytes apart. packAlong: the transpose is stored, so columns j are
 * `step` bytes apart. Four rows of the block are copied at a time. Whole cache lines of the target are written. The
 * source is read as four streams (packAcross) or as `lanes` streams (packAlong).
 */

/**
 * Copies one piece element by element: the first `count` columns, then zeros up to `lanes`. Elements are `across` bytes
 * apart along j and `along` bytes apart along p.
 */
function packScalar<T>(source: usize, across: usize, along: usize, count: i32, lanes: i32, depth: i32, target: usize): void {
  for (let p = 0; p < depth; p++) {
    let from = source;
    for (let j = 0; j < lanes; j++) {
      store<T>(target, j < count ? load<T>(from) : 0);
      from += across;
      target += sizeof<T>();
    }
    source += along;
  }
}

export function packAcross<T>(source: usize, step: usize, depth: i32, width: i32, lanes: i32, target: usize): void {
  const wide = <usize>lanes * sizeof<T>();
  const piece = <usize>depth * wide;
  const whole = width / lanes;
  let p = 0;
  for (; p + 4 <= depth; p += 4) {
    let from = source + <usize>p * step;
    let to = target + <usize>p * wide;
    for (let j = 0; j < whole; j++) {
      for (let q: usize = 0; q < wide; q += 16) {
        const r1 = from + step, r2 = r1 + step, r3 = r2 + step;
        v128.store(to + q, v128.load(from + q));
        v128.store(to + q + wide, v128.load(r1 + q));
        v128.store(to + q + 2 * wide, v128.load(r2 + q));
        v128.store(to + q + 3 * wide, v128.load(r3 + q));
      }
      from += wide;
      to += piece;
    }
  }
  for (; p < depth; p++) {
    let from = source + <usize>p * step;
    let to = target + <usize>p * wide;
    for (let j = 0; j < whole; j++) {
      for (let q: usize = 0; q < wide; q += 16) v128.store(to + q, v128.load(from + q));
      from += wide;
      to += piece;
    }
  }
  const rest = width - whole * lanes;
  if (rest) packScalar<T>(source + <usize>whole * wide, sizeof<T>(), step, rest, lanes, depth, target + <usize>whole * piece);
}

/**
 * Transposes 4 × 4 elements of f32, or 2 × 2 elements of f64 twice. Rows of the source become columns of the target.
 */
function transposeBlock<T>(source: usize, step: usize, target: usize, wide: usize): void {
  const s1 = source + step;
  if (sizeof<T>() == 4) {
    const s2 = s1 + step, s3 = s2 + step;
    const a = v128.load(source), b = v128.load(s1), c = v128.load(s2), d = v128.load(s3);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const ba = v128.shuffle<f32>(a, b, 2, 6, 3, 7), dc = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<f64>(ab, cd, 0, 2));
    v128.store(target + wide, v128.shuffle<f64>(ab, cd, 1, 3));
    v128.store(target + 2 * wide, v128.shuffle<f64>(ba, dc, 0, 2));
    v128.store(target + 3 * wide, v128.shuffle<f64>(ba, dc, 1, 3));
  } else {
    const a = v128.load(source), b = v128.load(s1), c = v128.load(source, 16), d = v128.load(s1, 16);
    v128.store(target, v128.shuffle<f64>(a, b, 0, 2));
    v128.store(target + wide, v128.shuffle<f64>(a, b, 1, 3));
    v128.store(target + 2 * wide, v128.shuffle<f64>(c, d, 0, 2));
    v128.store(target + 3 * wide, v128.shuffle<f64>(c, d, 1, 3));
  }
}

export function packAlong<T>(source: usize, step: usize, depth: i32, width: i32, lanes: i32, target: usize): void {
  const wide = <usize>lanes * sizeof<T>();
  const rows: usize = 16 / sizeof<T>();
  const four = depth & ~3;
  for (; width >= lanes; width -= lanes) {
    for (let p = 0; p < four; p += 4) {
      let from = source + <usize>p * sizeof<T>();
      let to = target + <usize>p * wide;
      for (let q: usize = 0; q < wide; q += 16) {
        transposeBlock<T>(from, step, to + q, wide);
        from += rows * step;
      }
    }
    if (four < depth) {
      packScalar<T>(source + <usize>four * sizeof<T>(), step, sizeof<T>(), lanes, lanes, depth - four, target + <usize>four * wide);
    }
    source += <usize>lanes * step;
    target += <usize>depth * wide;
  }
  if (width) packScalar<T>(source, step, sizeof<T>(), width, lanes, depth, target);
}
