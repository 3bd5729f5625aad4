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
 * Applies layers one after another: y = f_k(… f_1(x)).
 *
 * A layer's part of the path is its name, or its index from 0: "2.weight". A plain function (x, scope) => y is a layer,
 * but cannot be saved in a file.
 * Two wrappers mark all parameters of a layer, without adding a name to the path. `frozen`: parameters and running
 * statistics do not change, and dropout is off. `grouped`: parameters belong to a named group, which options of step
 * rules can select. If groups are nested, the name of the innermost group applies.
 *
 * @throws OptionError if a part is not a layer
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

/** Uses the name of the marked layer, so that marking the layer does not change its path. */
const named = (marked: LayerLike, { name = isLayer(marked) ? marked.name : undefined }: Named): Named =>
  name === undefined ? {} : { name };

/**
 * A layer whose parameters are not trained. The layer's running statistics do not change, and its dropout is off. Adds
 * nothing to the path.
 */
export const frozen = (marked: LayerLike, options: Named = {}): Layer =>
  makeFrozen({ layer: marked, ...named(marked, plain("frozen", options)) });
/**
 * A layer whose parameters belong to a named group, which network({ rates }) can select. If groups are nested, the name
 * of the innermost group applies. Adds nothing to the path.
 */
export const grouped = (group: string, marked: LayerLike, options: Named = {}): Layer =>
  makeGrouped({ group, layer: marked, ...named(marked, plain("grouped", options)) });
