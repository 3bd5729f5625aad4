/**
 * Averages `copies` arrays of `count` elements (pointers: u32[copies]) and writes the mean to each. kind 4: f32, 8:
 * f64, 2: i16 (rounded to nearest). Sums run in f64 in the order of the copies, so that the result does not depend on
 * which lane calls. Arrays may not overlap.
 */
function averageOf<P>(pointers: usize, copies: i32, count: i32): void {
  const share = 1 / <f64>copies;
  for (let i = 0; i < count; i++) {
    const shift = <usize>i * sizeof<P>();
    let sum: f64 = 0;
    for (let c = 0; c < copies; c++) sum += <f64>load<P>(<usize>load<u32>(pointers + (<usize>c << 2)) + shift);
    const mean = isInteger<P>() ? <P>nearest(sum * share) : <P>(sum * share);
    for (let c = 0; c < copies; c++) store<P>(<usize>load<u32>(pointers + (<usize>c << 2)) + shift, mean);
  }
}

export function average(pointers: usize, copies: i32, count: i32, kind: i32): void {
  if (kind == 4) averageOf<f32>(pointers, copies, count);
  else if (kind == 8) averageOf<f64>(pointers, copies, count);
  else averageOf<i16>(pointers, copies, count);
}
