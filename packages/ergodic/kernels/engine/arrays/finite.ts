/**
 * Returns 1 if all `count` numbers from `pointer` onwards are finite, or 0 if one is infinite or NaN. Exact. The
 * pointer needs only the alignment of T; nothing beyond the numbers is read.
 *
 * x − x is either 0, with all bits 0, or NaN. The code combines the bits of all differences with OR and tests the
 * result once.
 */
function areFinite<T>(pointer: usize, count: i32): i32 {
  const end = pointer + <usize>count * sizeof<T>();
  const vectors = end - ((end - pointer) & 15);
  let found = i32x4.splat(0);
  for (const blocks = end - ((end - pointer) & 63); pointer != blocks; pointer += 64) {
    const first = v128.or(difference<T>(pointer), difference<T>(pointer + 16));
    found = v128.or(found, v128.or(first, v128.or(difference<T>(pointer + 32), difference<T>(pointer + 48))));
  }
  for (; pointer != vectors; pointer += 16) found = v128.or(found, difference<T>(pointer));
  let isFinite = !v128.any_true(found);
  for (; pointer < end; pointer += sizeof<T>()) isFinite = isFinite && load<T>(pointer) - load<T>(pointer) == 0;
  return isFinite ? 1 : 0;
}

function difference<T>(pointer: usize): v128 {
  const x = v128.load(pointer);
  return v128.sub<T>(x, x);
}

export function areFiniteF32(pointer: usize, count: i32): i32 {
  return areFinite<f32>(pointer, count);
}

export function areFiniteF64(pointer: usize, count: i32): i32 {
  return areFinite<f64>(pointer, count);
}
