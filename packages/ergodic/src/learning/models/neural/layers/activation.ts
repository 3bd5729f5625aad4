import { plain } from "../../../../engine/errors/checks.ts";
import type { Layer } from "../scope.ts";
import { ACTIVATIONS, type ActivationName, activationNames } from "./activations.ts";
import { layer, type Named } from "./layer.ts";

export { type ActivationName, activationNames };

const make = layer<{ readonly function: ActivationName }>("activation", (x, _, options) => ACTIVATIONS[options.function](x), {
  options: { function: activationNames },
  required: ["function"],
  example: { options: { function: "hardSwish" }, input: [2, 4] },
});

/**
 * Activations, element by element:
 *
 *   relu max(x, 0)   relu6 min(max(x, 0), 6)   leakyRelu x for x > 0, else 0.01 x   elu x for x > 0, else eˣ − 1
 *   softplus log(1 + eˣ)   silu x σ(x)   hardSwish x min(max(x + 3, 0), 6) / 6   gelu x Φ(x) = x (1 + erf(x / √2)) / 2
 *   tanh   sigmoid σ(x) = 1 / (1 + e⁻ˣ)   softmax e^{x_i} / Σ e^{x_j}, over the last axis   linear x
 *
 * At a corner of relu (x = 0, for relu6 also x = 6), the derivative is 0.
 * Sources: Hendrycks & Gimpel 2016 (gelu); Ramachandran et al. 2017 (silu); Howard et al. 2019 (hardSwish).
 *
 * @throws OptionError for an unknown name
 */
export const activation = (name: ActivationName, options: Named = {}): Layer =>
  make({ function: name, ...plain("activation", options, ["function"]) });

/** max(x, 0), element by element. */
export const relu = (options?: Named): Layer => activation("relu", options);
/** min(max(x, 0), 6), element by element. */
export const relu6 = (options?: Named): Layer => activation("relu6", options);
/** x Φ(x), element by element. Hendrycks, Gimpel 2016. */
export const gelu = (options?: Named): Layer => activation("gelu", options);
/** x σ(x), element by element (swish). Ramachandran et al. 2017. */
export const silu = (options?: Named): Layer => activation("silu", options);
/** x min(max(x + 3, 0), 6)/6, element by element. Howard et al. 2019. */
export const hardSwish = (options?: Named): Layer => activation("hardSwish", options);
