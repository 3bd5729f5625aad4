/** Checks of the input shapes of layers. Error messages show shapes without axis 0, which runs over examples. */

import { type SymbolicArray, shapeText } from "../../../../engine/compiler/array/index.ts";
import { checkNumber, OptionError } from "../../../../engine/errors/errors.ts";
import { shown } from "../../../../engine/errors/shown.ts";
import type { Scope } from "../scope.ts";

const at = (kind: string, scope: Scope): string => (scope.path === "" ? kind : `${kind} "${scope.path}"`);

export function layerShapeError(kind: string, scope: Scope, x: SymbolicArray, wanted: string): OptionError {
  return new OptionError(
    at(kind, scope),
    `the input's examples are ${shapeText(x.shape.slice(1))}, but ${wanted}`,
    "LAYER_SHAPE",
  );
}

/** Throws unless the number of axes of x, including axis 0, is one of `ranks`. */
export function expectRank(kind: string, scope: Scope, x: SymbolicArray, ranks: readonly number[], form: string): void {
  if (!ranks.includes(x.rank)) throw layerShapeError(kind, scope, x, `must be ${form}; put reshaped(…) or flatten() before it`);
}

/** Throws unless `count` divides the channels. */
export function expectDivisible(kind: string, scope: Scope, x: SymbolicArray, name: string, count: number): void {
  const channels = x.shape.at(-1)!;
  if (channels % count !== 0)
    throw layerShapeError(kind, scope, x, `${name} is ${count}, which must divide the ${channels} channels; change one of them`);
}

/** Range of a whole number >= 1. */
export const count = { low: 1, integer: true } as const;

export function checkCount(kind: string, name: string, value: unknown): void {
  checkNumber(kind, name, value, count);
}

/** A whole number, or [height, width]. */
export type Extent = number | readonly [number, number];

export const pairOf = (extent: Extent): readonly [number, number] => (typeof extent === "number" ? [extent, extent] : extent);

export function checkExtent(kind: string, name: string, value: Extent | undefined): void {
  if (value === undefined) return;
  if (typeof value !== "number" && !(Array.isArray(value) && value.length === 2))
    throw new OptionError(kind, `${name} is ${shown(value)}, but must be a number or [height, width]`, "OPTION_RANGE");
  for (const extent of pairOf(value)) checkCount(kind, name, extent);
}

/**
 * Padding. "same": ⌈size / stride⌉ output cells, with the odd cell of padding at the end. "valid": none. A number:
 * cells on each side.
 */
export type Padding = "same" | "valid" | Extent;

export function checkPadding(kind: string, value: Padding | undefined): void {
  if (value === undefined || value === "same" || value === "valid") return;
  const fits = typeof value === "number" || (Array.isArray(value) && value.length === 2);
  if (!fits)
    throw new OptionError(
      kind,
      `padding is ${shown(value)}, but must be "same", "valid", a number of cells or [height, width]`,
      "OPTION_RANGE",
    );
  for (const cells of pairOf(value as Extent)) checkNumber(kind, "padding", cells, { low: 0, integer: true });
}
