/**
 * Plain twin of kernels/engine/optimise/fixed.ts: v ← v − round(c x) with random rounding, in the kernel's own integer
 * arithmetic. Returns the next random state.
 */
export function fixedStep(v: Int16Array, x: Int8Array | Int16Array, c: number, state: Uint32Array): Uint32Array {
  const wide = x instanceof Int8Array ? Array.from(x, (value) => value * 256) : Array.from(x);
  const unit = x instanceof Int8Array ? c / 256 : c;
  if (!(Math.abs(unit) > 0)) return state;
  let fraction = 14;
  for (let bound = Math.abs(unit) * 32768 * 16384; bound >= 16383 && fraction > 1; bound /= 2) fraction--;
  const m = Math.max(-32767, Math.min(32767, roundHalfEven(unit * 2 ** fraction * 32768)));
  const lanes = new Uint16Array(state.slice().buffer);
  const blockLength = x instanceof Int8Array ? 16 : 8;
  const whole = Math.floor(x.length / blockLength) * blockLength;
  for (let i = 0; i < x.length; i++) {
    // After the last whole block, elements use the Weyl sequence of lane 0 one by one.
    const group = Math.floor(i / 8);
    const random = i < whole ? lanes[i % 8] + 25717 * group : lanes[0] + 25717 * (whole / 8 + (i - whole));
    const y = ((wide[i] * m + 0x4000) >> 15) + (random & (2 ** fraction - 1));
    v[i] = Math.max(-32768, Math.min(32767, v[i] - (y >> fraction)));
  }
  return nextRandom(state);
}

/** Four xorshift32 generators. */
function nextRandom(state: Uint32Array): Uint32Array {
  return state.map((word) => {
    word ^= word << 13;
    word ^= word >>> 17;
    return (word ^ (word << 5)) >>> 0;
  });
}

/** v[i] ← v[i]·factor, rounded at random by the first generator. Returns the next random state. */
export function scaleOne(v: Int16Array, i: number, factor: number, state: Uint32Array): Uint32Array {
  const wanted = v[i] * factor;
  const below = Math.floor(wanted);
  const u = (state[0] | 0) * 2 ** -32 + 0.5;
  v[i] = Math.max(-32768, Math.min(32767, below + Number(u < wanted - below)));
  return nextRandom(state);
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
