/**
 * Layers with parallel branches.
 *
 * `residual`: y = f(x) + s(x), with s(x) = x unless a shortcut is given. Paths: "body", "shortcut". He et al. 2016.
 * `concatenating`: y = [f_1(x), f_2(x), …] along the channels, the last axis. Paths: names, or indices from 0.
 * `channelShuffle`: channel i of g groups of m moves to index (i mod m) · g + ⌊i / m⌋, so that the next grouped layer
 * sees all groups. Zhang et al. 2018.
 *
 * @throws OptionError for options out of range; when traced, if shapes differ
 */

import { concatenate, sameShape, shapeText, channelShuffle as shuffled } from "../../../../engine/compiler/array/index.ts";
import { add } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import type { Layer, LayerLike } from "../scope.ts";
import { count, expectDivisible, layerShapeError } from "./expected.ts";
import { checkLayer, checkLayers, layer, type Named } from "./layer.ts";

/** Options of `residual`. */
export interface ResidualOptions extends Named {
  /** Shortcut s(x), needed if the body changes the shape: a layer or a function. Default: x itself. */
  readonly shortcut?: LayerLike;
}

const makeResidual = layer<ResidualOptions & { readonly body: LayerLike }>(
  "residual",
  (x, scope, { body, shortcut }) => {
    const y = scope.apply(body, x, "body");
    const straight = shortcut ? scope.apply(shortcut, x, "shortcut") : x;
    if (sameShape(y.shape, straight.shape)) return add(y, straight);
    const made = `the body gives ${shapeText(y.shape.slice(1))}${shortcut ? ` and the shortcut ${shapeText(straight.shape.slice(1))}` : ""}`;
    throw layerShapeError("residual", scope, x, `${made}; add a shortcut that gives the body's shape`);
  },
  {
    options: { body: "own", shortcut: "own" },
    check({ body, shortcut }) {
      checkLayers("residual", [body]);
      if (shortcut !== undefined) checkLayer("residual", "shortcut", shortcut);
    },
  },
);

const makeConcatenating = layer<{ readonly branches: readonly LayerLike[] }>(
  "concatenating",
  (x, scope, { branches }) => {
    const parts = branches.map((branch, i) => scope.apply(branch, x, String(i)));
    const odd = parts.find((part) => !sameShape(part.shape.slice(0, -1), parts[0].shape.slice(0, -1)));
    if (!odd) return concatenate(parts, -1);
    const shapes = parts.map((part) => shapeText(part.shape.slice(1))).join(", ");
    throw layerShapeError("concatenating", scope, x, `the branches give ${shapes}, which may differ only in their last extent`);
  },
  {
    options: { branches: "own" },
    check({ branches }) {
      if (!Array.isArray(branches) || branches.length === 0)
        throw new OptionError("concatenating", "branches must be a list of layers, at least one", "OPTION_RANGE");
      checkLayers("concatenating", branches);
    },
  },
);

const makeShuffle = layer<{ readonly groups: number }>(
  "channelShuffle",
  (x, scope, { groups }) => {
    expectDivisible("channelShuffle", scope, x, "groups", groups);
    return shuffled(x, groups);
  },
  { options: { groups: count }, required: ["groups"], example: { options: { groups: 2 }, input: [2, 4] } },
);

/**
 * y = f(x) + s(x), f the body and s the shortcut (default x). Paths: "body", "shortcut". He et al. 2016. @throws
 * OptionError
 */
export const residual = (body: LayerLike, options: ResidualOptions = {}): Layer =>
  makeResidual({ body, ...plain("residual", options, ["body"]) });
/**
 * y = [f_1(x), f_2(x), …]: the outputs of all branches, concatenated along the channels, the last axis. @throws
 * OptionError
 */
export const concatenating = (branches: readonly LayerLike[], options: Named = {}): Layer =>
  makeConcatenating({ branches, ...plain("concatenating", options, ["branches"]) });
/**
 * Moves channel i of g groups of m to index (i mod m) · g + ⌊i/m⌋, so that the next grouped layer sees all groups.
 * Zhang et al. 2018. @throws OptionError
 */
export const channelShuffle = (groups: number, options: Named = {}): Layer =>
  makeShuffle({ groups, ...plain("channelShuffle", options, ["groups"]) });
