import { plain } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import { shown } from "../../../../engine/errors/shown.ts";
import { isLayer, type Layer, type LayerLike } from "../scope.ts";
import { checkLayers, layer, type Named } from "./layer.ts";

const makeSequential = layer<{ readonly layers: readonly LayerLike[] }>(
  "sequential",
  (x, scope, { layers }) => layers.reduce((y, part, i) => scope.apply(part, y, String(i)), x),
  {
    options: { layers: "own" },
    check({ layers }) {
      if (!Array.isArray(layers))
        throw new OptionError("sequential", "layers must be a list; write sequential([…])", "OPTION_RANGE");
      checkLayers("sequential", layers);
    },
  },
);

/**
 * Layers in a row, y = f_k(… f_1(x)), and marks for all parameters of a layer.
 *
 * A layer's part of the path is its name, or its place from 0 on: "2.weight". A plain function (x, scope) => y is a layer, but no file can hold it.
 * `frozen`: parameters are not trained, running statistics stay, dropout is off. `grouped`: parameters bear the name of a group, which options
 * of step rules may single out; the innermost name counts. Both add nothing to the path.
 *
 * @throws OptionError where a part is no layer
 */
export const sequential = (layers: readonly LayerLike[], options: Named = {}): Layer =>
  makeSequential({ layers, ...plain("sequential", options, ["layers"]) });

interface Marked {
  readonly layer: LayerLike;
}

const makeFrozen = layer<Marked>(
  "frozen",
  (x, scope, options) => scope.marked({ trained: false }, (inner) => inner.apply(options.layer, x, "")),
  { options: { layer: "own" }, check: (options) => checkLayers("frozen", [options.layer]) },
);

const makeGrouped = layer<Marked & { readonly group: string }>(
  "grouped",
  (x, scope, { group, ...options }) => scope.marked({ group }, (inner) => inner.apply(options.layer, x, "")),
  {
    options: { layer: "own", group: "own" },
    check({ group, ...options }) {
      checkLayers("grouped", [options.layer]);
      if (typeof group !== "string" || group === "")
        throw new OptionError("grouped", `group is ${shown(group)}, but must be a name`, "OPTION_RANGE");
    },
  },
);

/** So that a mark leaves the path as it would be without it. */
const named = (marked: LayerLike, { name = isLayer(marked) ? marked.name : undefined }: Named): Named =>
  name === undefined ? {} : { name };

/**
 * A layer with parameters that are not trained; its running statistics stay, and its dropout is off. Adds nothing to the path.
 */
export const frozen = (marked: LayerLike, options: Named = {}): Layer =>
  makeFrozen({ layer: marked, ...named(marked, plain("frozen", options)) });
/**
 * A layer with parameters in a named group, which network({ rates }) may single out; the innermost name counts. Adds nothing to
 * the path.
 */
export const grouped = (group: string, marked: LayerLike, options: Named = {}): Layer =>
  makeGrouped({ group, layer: marked, ...named(marked, plain("grouped", options)) });
