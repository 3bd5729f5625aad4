/** Loads and stores of lanes whose elements are `stride` bytes apart, in the lanes' own type. */

import type { Place } from "../../emit/storage.ts";
import { unsigned } from "../../machine/encoder.ts";
import type { FunctionCode, Node } from "../../machine/graph.ts";
import { type Instructions, simd } from "../../machine/instructions.ts";

/** Bytes per lane, and the opcodes for splatting, for loading one lane and for storing one lane. */
const OPCODES = {
  f64x2: { bytes: 8, splat: 10, load: 87, store: 91 },
  f32x4: { bytes: 4, splat: 9, load: 86, store: 90 },
} as const;

/** Loads lanes; `stride` 0 copies one element to all lanes. */
export function loadLanes(m: Instructions, place: Place, stride: number): Node {
  const { graph } = m;
  const v = (opcode: number, { address, offset }: Place, ...more: Node[]): Node =>
    graph.node("v128", simd(opcode, 0, ...unsigned(offset)), [address, ...more]);
  if (m.kind === "f64" || m.kind === "f32")
    return graph.node(m.kind, [m.kind === "f64" ? 0x2b : 0x2a, 0, ...unsigned(place.offset)], [place.address]);
  const { bytes, splat, load } = OPCODES[m.kind];
  if (stride === 0) return v(splat, place);
  if (stride === bytes) return v(0, place);
  let lanes = v(splat, place);
  for (let lane = 1; lane < 16 / bytes; lane++) {
    const { address, offset } = moved(m, place, lane * stride);
    lanes = graph.node("v128", simd(load, 0, ...unsigned(offset), lane), [address, lanes]);
  }
  return lanes;
}

export function storeLanes(f: FunctionCode, m: Instructions, place: Place, stride: number, value: Node): void {
  if (m.kind === "f64" || m.kind === "f32") {
    f.emit(place.address);
    f.emit(value);
    f.push(m.kind === "f64" ? 0x39 : 0x38, 0, ...unsigned(place.offset));
    return;
  }
  const { bytes, store } = OPCODES[m.kind];
  const count = stride === bytes ? 1 : 16 / bytes;
  for (let lane = 0; lane < count; lane++) {
    const { address, offset } = moved(m, place, lane * stride);
    f.emit(address);
    f.emit(value);
    f.push(...(stride === bytes ? simd(11, 0, ...unsigned(offset)) : simd(store, 0, ...unsigned(offset), lane)));
  }
}

function moved({ graph }: Instructions, { address, offset }: Place, bytes: number): Place {
  const at = offset + bytes;
  return at >= 0 ? { address, offset: at } : { address: graph.node("i32", [0x6a], [address, graph.integer(at)]), offset: 0 };
}
