/** Plain twin of kernels/engine/optimise/decay.ts, decayStep: p = s v shrinks by 1 − ηλ through s alone. */
import { scaleOne } from "./fixed.ts";

export interface Decay {
  v: Float64Array | Float32Array | Int16Array;
  scale: number;
  /** Coordinates that do not shrink. */
  exempt: number[];
  l2: number;
  /** Number of racing lanes. Each lane changes its scale as often as all of them together. */
  power: number;
  /** State of random rounding, for 16-bit v only. */
  state: Uint32Array;
}

/** One update at this rate, in place. Returns the divisor for the scales of gradients. */
export function decayStep(decay: Decay, rate: number): number {
  const { v, exempt } = decay;
  const factor = Math.max(1 - rate * decay.l2, 2 ** -10);
  const multiply = (i: number, by: number): void => {
    if (v instanceof Int16Array) decay.state = scaleOne(v, i, by, decay.state);
    else v[i] *= by;
  };
  for (let k = 0; k < decay.power; k++) decay.scale *= factor;
  if (factor !== 1) for (const i of exempt) multiply(i, 1 / factor);
  if (decay.power === 1 && decay.scale < (v instanceof Int16Array ? 7 / 8 : 2 ** -20)) {
    for (let i = 0; i < v.length; i++) multiply(i, decay.scale);
    decay.scale = 1;
  }
  return decay.scale;
}
