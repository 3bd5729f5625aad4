/**
 * Group soft-thresholding, the proximal step of ηλ Σ_g w_g ‖p_g‖₂: p_g ← p_g · max(0, 1 − ηλ w_g / ‖p_g‖).
 *
 * A group is a set of columns, over all outputs. Parameters are f32 or f64 and norms f64; a group whose norm is at most
 * ηλ w_g becomes exactly 0. Columns outside every group (the intercept) are unchanged. The block is described in
 * memory/fields.ts.
 */
import {
  GROUP_PARAMETERS, GROUP_ELEMENT_BYTES, GROUP_COUNT, GROUP_START, GROUP_COLUMNS, GROUP_WEIGHTS, GROUP_OUTPUTS, GROUP_STRIDE, GROUP_RATE, GROUP_LAMBDA_F64,
} from "../../../src/engine/memory/fields";

function shrink<P>(group: usize): void {
  const parameters = <usize>load<u32>(group + GROUP_PARAMETERS);
  const outputs = load<u32>(group + GROUP_OUTPUTS);
  const strideBytes = <usize>load<u32>(group + GROUP_STRIDE) * sizeof<P>();
  const start = <usize>load<u32>(group + GROUP_START), columns = <usize>load<u32>(group + GROUP_COLUMNS), weights = <usize>load<u32>(group + GROUP_WEIGHTS);
  const threshold = load<f64>(group + GROUP_LAMBDA_F64) * load<f64>(<usize>load<u32>(group + GROUP_RATE));
  const count = load<u32>(group + GROUP_COUNT);
  for (let g: u32 = 0; g < count; g++) {
    const from = load<u32>(start + (<usize>g << 2)), to = load<u32>(start + (<usize>g << 2), 4);
    let square: f64 = 0;
    for (let e = from; e < to; e++) {
      let at = parameters + <usize>load<u32>(columns + (<usize>e << 2)) * sizeof<P>();
      for (let k: u32 = 0; k < outputs; k++) {
        const p = <f64>load<P>(at);
        square += p * p;
        at += strideBytes;
      }
    }
    const limit = threshold * load<f64>(weights + (<usize>g << 3));
    const factor = square <= limit * limit ? 0 : 1 - limit / Math.sqrt(square);
    for (let e = from; e < to; e++) {
      let at = parameters + <usize>load<u32>(columns + (<usize>e << 2)) * sizeof<P>();
      for (let k: u32 = 0; k < outputs; k++) {
        store<P>(at, factor == 0 ? 0 : <P>(<f64>load<P>(at) * factor));
        at += strideBytes;
      }
    }
  }
}

export function groupShrink(group: usize): void {
  if (load<u32>(group + GROUP_ELEMENT_BYTES) == 4) shrink<f32>(group);
  else shrink<f64>(group);
}
