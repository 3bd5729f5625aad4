/**
 * Whether all `count` numbers from `pointer` on are finite: 1, or 0 where one is infinite or NaN. Exact. The pointer needs the alignment of T alone;
 * nothing beyond the numbers is read.
 *
 * An exponent of ones alone carries into the sign when its lowest bit is added: the signs of all such sums are gathered, and looked at once.
 */
function areFinite<T>(pointer: usize, count: i32): i32 {
  const exponent = sizeof<T>() == 4 ? i32x4.splat(0x7f800000) : i64x2.splat(0x7ff0000000000000);
  const lowest = sizeof<T>() == 4 ? i32x4.splat(0x00800000) : i64x2.splat(0x0010000000000000);
  const end = pointer + <usize>count * sizeof<T>();
  let found = i32x4.splat(0);
  for (const vectors = end - ((end - pointer) & 15); pointer < vectors; pointer += 16) {
    const bits = v128.and(v128.load(pointer), exponent);
    found = v128.or(found, sizeof<T>() == 4 ? i32x4.add(bits, lowest) : i64x2.add(bits, lowest));
  }
  let isFinite = sizeof<T>() == 4 ? i32x4.bitmask(found) == 0 : i64x2.bitmask(found) == 0;
  for (; pointer < end; pointer += sizeof<T>()) isFinite = isFinite && load<T>(pointer) - load<T>(pointer) == 0;
  return isFinite ? 1 : 0;
}

export function areFiniteF32(pointer: usize, count: i32): i32 {
  return areFinite<f32>(pointer, count);
}

export function areFiniteF64(pointer: usize, count: i32): i32 {
  return areFinite<f64>(pointer, count);
}
