import type { LayerLike } from "../scope.ts";
import { checkLayer, layer } from "./layer.ts";

/**
 * Applies `small` to images whose height or width is less than `side`, and `large` to all others. The chosen layer has
 * the path of this layer.
 *
 * @throws OptionError if a part is not a layer, or if side is not a positive integer
 */
export const byImageSize = layer<{
  /** Layer for images whose height or width is less than `side`. */
  readonly small: LayerLike;
  /** Layer for all other images. */
  readonly large: LayerLike;
  /** Height and width from which images are large, in cells, a whole number >= 1. */
  readonly side: number;
}>(
  "byImageSize",
  (x, scope, { small, large, side }) => {
    const [, height, width = height] = x.shape;
    return scope.apply(Math.min(height, width) < side ? small : large, x, "");
  },
  {
    options: { small: "own", large: "own", side: { low: 1, integer: true } },
    required: ["small", "large", "side"],
    check({ small, large }) {
      checkLayer("byImageSize", "small", small);
      checkLayer("byImageSize", "large", large);
    },
  },
);
