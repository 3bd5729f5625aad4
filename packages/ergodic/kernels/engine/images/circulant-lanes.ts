/**
 * Copies sequences of length k between memory, where sequences are `step` bytes apart, and k vectors in bit-reversed
 * order with one sequence per lane.
 *
 * k: a power of two >= 4. Only the first `count` lanes hold sequences. loadLanes fills the other lanes from `zeros`;
 * storeLanes, which multiplies by `scale`, writes them to `spare`. `zeros` and `spare` hold k elements each.
 */

/** Increments a bit-reversed counter `at`: adds `bit`, the reversed lowest digit, and carries towards lower bits. */
function next(at: i32, bit: i32): i32 {
  while (at & bit) {
    at ^= bit;
    bit >>= 1;
  }
  return at | bit;
}

export function loadLanes<T>(x: usize, step: usize, count: i32, k: i32, zeros: usize, work: usize): void {
  const x1 = count > 1 ? x + step : zeros;
  const half = <usize>k << 3;
  let reversed = 0;
  if (sizeof<T>() == 8) {
    for (let t: usize = 0; t < <usize>k << 3; t += 16) {
      const to = work + (<usize>reversed << 4);
      const a = v128.load(x + t), b = v128.load(x1 + t);
      v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
      v128.store(to + half, v128.shuffle<i64>(a, b, 1, 3));
      reversed = next(reversed, k >> 2);
    }
    return;
  }
  const x2 = count > 2 ? x + 2 * step : zeros, x3 = count > 3 ? x + 3 * step : zeros;
  for (let t: usize = 0; t < <usize>k << 2; t += 16) {
    const to = work + (<usize>reversed << 4);
    const a = v128.load(x + t), b = v128.load(x1 + t), c = v128.load(x2 + t), d = v128.load(x3 + t);
    const low01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), high01 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const low23 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), high23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(low01, low23, 0, 2));
    v128.store(to + half, v128.shuffle<i64>(low01, low23, 1, 3));
    v128.store(to + (half >> 1), v128.shuffle<i64>(high01, high23, 0, 2));
    v128.store(to + half + (half >> 1), v128.shuffle<i64>(high01, high23, 1, 3));
    reversed = next(reversed, k >> 3);
  }
}

export function storeLanes<T>(y: usize, step: usize, count: i32, k: i32, spare: usize, work: usize, scale: T): void {
  const y1 = count > 1 ? y + step : spare;
  const half = <usize>k << 3;
  const factor = v128.splat<T>(scale);
  let reversed = 0;
  if (sizeof<T>() == 8) {
    for (let t: usize = 0; t < <usize>k << 3; t += 16) {
      const from = work + (<usize>reversed << 4);
      const a = v128.mul<T>(v128.load(from), factor), b = v128.mul<T>(v128.load(from + half), factor);
      v128.store(y + t, v128.shuffle<i64>(a, b, 0, 2));
      v128.store(y1 + t, v128.shuffle<i64>(a, b, 1, 3));
      reversed = next(reversed, k >> 2);
    }
    return;
  }
  const y2 = count > 2 ? y + 2 * step : spare, y3 = count > 3 ? y + 3 * step : spare;
  for (let t: usize = 0; t < <usize>k << 2; t += 16) {
    const from = work + (<usize>reversed << 4);
    const a = v128.mul<T>(v128.load(from), factor), b = v128.mul<T>(v128.load(from + half), factor);
    const c = v128.mul<T>(v128.load(from + (half >> 1)), factor), d = v128.mul<T>(v128.load(from + half + (half >> 1)), factor);
    const low01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), high01 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const low23 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), high23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(y + t, v128.shuffle<i64>(low01, low23, 0, 2));
    v128.store(y1 + t, v128.shuffle<i64>(low01, low23, 1, 3));
    v128.store(y2 + t, v128.shuffle<i64>(high01, high23, 0, 2));
    v128.store(y3 + t, v128.shuffle<i64>(high01, high23, 1, 3));
    reversed = next(reversed, k >> 3);
  }
}
