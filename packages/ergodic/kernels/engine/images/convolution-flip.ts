/**
 * If all strides are 1, the adjoint of a convolution with respect to the image is itself a convolution. The adjoint
 * convolution maps dy to dx with flipped and transposed weights.
 */
import {
  CONV_BYTES, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT,
  CONV_KERNEL_WIDTH, CONV_OUT_CHANNELS, CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { isShallow } from "./convolution-shallow";

function swap(from: usize, to: usize, input: usize, output: usize): void {
  store<i32>(to + input, load<i32>(from + output));
  store<i32>(to + output, load<i32>(from + input));
}

/**
 * Writes the CONV block of the adjoint convolution to `to`, followed by its weights, if
 * kernels/engine/images/convolution-shallow.ts can compute it. Returns whether it did.
 */
export function writeFlipped<T>(spec: usize, w: usize, to: usize): bool {
  const height = load<i32>(spec, CONV_KERNEL_HEIGHT), width = load<i32>(spec, CONV_KERNEL_WIDTH);
  const channels = load<i32>(spec, CONV_IN_CHANNELS), outChannels = load<i32>(spec, CONV_OUT_CHANNELS);
  const top = load<i32>(spec, CONV_DILATION_HEIGHT) * (height - 1) - load<i32>(spec, CONV_PAD_TOP);
  const left = load<i32>(spec, CONV_DILATION_WIDTH) * (width - 1) - load<i32>(spec, CONV_PAD_LEFT);
  if (load<i32>(spec, CONV_STRIDE_HEIGHT) != 1 || load<i32>(spec, CONV_STRIDE_WIDTH) != 1 || top < 0 || left < 0) return false;
  for (let at: usize = 0; at < <usize>CONV_BYTES; at += 4) store<i32>(to + at, load<i32>(spec + at));
  swap(spec, to, CONV_IN_HEIGHT, CONV_OUT_HEIGHT);
  swap(spec, to, CONV_IN_WIDTH, CONV_OUT_WIDTH);
  swap(spec, to, CONV_IN_CHANNELS, CONV_OUT_CHANNELS);
  store<i32>(to, top, CONV_PAD_TOP);
  store<i32>(to, left, CONV_PAD_LEFT);
  if (!isShallow<T>(to, false)) return false;
  let at = to + CONV_BYTES;
  for (let tap = height * width - 1; tap >= 0; tap--) {
    for (let o = 0; o < outChannels; o++) {
      for (let c = 0; c < channels; c++, at += sizeof<T>()) store<T>(at, load<T>(w + <usize>((tap * channels + c) * outChannels + o) * sizeof<T>()));
    }
  }
  return true;
}
