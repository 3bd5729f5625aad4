/** Formats an element in users' notation, counted from 0: y[7], x[2][0]. */
import { type Shape, stridesOf } from "../../engine/compiler/index.ts";

export const elementName = (name: string, shape: Shape, at: number): string =>
  `${name}${stridesOf(shape)
    .map((stride, axis) => `[${Math.floor(at / stride) % shape[axis]}]`)
    .join("")}`;
