import { reshape, sizeOf } from "../../../../engine/compiler/array/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import { shown } from "../../../../engine/errors/shown.ts";
import type { Layer } from "../scope.ts";
import { layerShapeError } from "./expected.ts";
import { layer, type Named } from "./layer.ts";

const makeFlatten = layer<Named>("flatten", (x) => reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]), {
  options: {},
  example: { options: {}, input: [2, 2, 3] },
});

const makeReshaped = layer<{ readonly shape: readonly number[] }>(
  "reshaped",
  (x, scope, { shape }) => {
    const size = sizeOf(x.shape.slice(1));
    const left = size / sizeOf(shape.filter((n) => n !== -1));
    const whole = shape.map((n) => (n === -1 ? left : n));
    if (sizeOf(whole) !== size || whole.some((n) => !Number.isInteger(n)))
      throw layerShapeError("reshaped", scope, x, `its ${size} numbers do not fill [${shape.join(", ")}]`);
    return reshape(x, [x.shape[0], ...whole]);
  },
  {
    options: { shape: "own" },
    example: { options: { shape: [3, -1] }, input: [2, 2, 3] },
    check({ shape }) {
      const fits = Array.isArray(shape) && shape.every((n) => n === -1 || (Number.isInteger(n) && n >= 1));
      if (!fits || shape.filter((n) => n === -1).length > 1)
        throw new OptionError(
          "reshaped",
          `shape is ${Array.isArray(shape) ? `[${shape.map(shown).join(", ")}]` : shown(shape)}, but must be a list of whole numbers from 1 on, one of which may be -1`,
          "OPTION_RANGE",
        );
    },
  },
);

/** Flattens each example to one list of numbers: [n, …] → [n, product]. */
export const flatten = (options: Named = {}): Layer => makeFlatten(options);
/**
 * Reshapes examples, row-major: [n, …] → [n, …shape]. One extent of `shape` can be −1.
 *
 * @throws OptionError for extents that are not whole numbers
 */
export const reshaped = (shape: readonly number[], options: Named = {}): Layer =>
  makeReshaped({ shape, ...plain("reshaped", options, ["shape"]) });
