const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/**
 * Returns the 16 bits of the FP16 nearest to a number, with ties to even. Numbers beyond 65,519 become infinity. The
 * conversion goes through FP32, so a number that is nearly a tie can be rounded twice.
 */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 and above round to 2^16.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 the spacing is 2^-24. FP32 has the same spacing near 2^-1, so adding 2^-1 rounds to this spacing.
    float[0] = Math.abs(value) + 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}
