import type { Algorithm, FactorBinding, JsonObject } from "../../engine/contract/index.ts";
import { checkChoice } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { FactorPasses, type Pass, type Side } from "./factor-passes.ts";

/** Options of `factorCoordinateDescent`. */
export interface FactorDescentOptions {
  /** Number of updates per epoch of each factor and bias. Default 1; a whole number, 1 to 1000. */
  inner?: number;
  /**
   * Order of updates. "components" (CCD++) updates one component of all rows at a time; "rows" updates row by row.
   * Default: components if the model supports them, otherwise rows.
   */
  order?: "components" | "rows";
  /**
   * The run has converged when an epoch lowers the objective by at most this share of its value. Default 1e-4; >= 0.
   */
  tolerance?: number;
}

/** Bits that select which parts of the component kernel a pass runs. */
const open = 1;
const update = 2;
const close = 4;

const name = "factorCoordinateDescent";

/**
 * Coordinate descent on factors: moves one factor (or bias) of a row to its minimum while all others are fixed. The
 * cost is linear in the rank, whereas alternating least squares has a cubic cost.
 *
 * order "components" (CCD++): for each component k, updates all users' p_k and then all items' q_k, `inner` times,
 * using residuals without component k:
 *
 *   p_k ← Σ e q_k / (λ + Σ q_k²)
 *
 * This order needs a model in which only rated cells count, and stores one float64 per rating and side. order "rows":
 * visits each row in turn and makes `inner` rounds over its factors. If every cell counts, it uses Σ q qᵀ (element-wise
 * ALS). Default: components if the model supports them, otherwise rows.
 * An epoch updates every factor and bias of both sides `inner` times. The objective never increases. inner: default 1.
 * The run has converged when an epoch lowers the objective by at most `tolerance` (default 1e-4), as a share of its
 * value. Needs: a factor model. Sources: Yu, Hsieh, Si, Dhillon 2012 (components); He, Zhang, Kan, Chua 2016 and
 * Pilászy, Zibriczky, Tikk 2010 (rows). Differs from other implementations: the bias is treated as one more component;
 * both sides start at random, whereas users start at 0 elsewhere.
 *
 * @throws OptionError; CapabilityError for order "components" if every cell counts
 */
export function factorCoordinateDescent(options: FactorDescentOptions = {}): Algorithm {
  checkKeys(name, options, ["inner", "order", "tolerance"]);
  const { inner = 1, order, tolerance = 1e-4 } = options;
  checkNumber(name, "inner", inner, { low: 1, high: 1000, integer: true });
  checkNumber(name, "tolerance", tolerance, { low: 0 });
  if (order !== undefined) checkChoice(name, "order", order, ["components", "rows"]);
  return {
    name,
    verb: "fit",
    takesStart: true,
    toJSON: () => ({ algorithm: name, inner, tolerance, ...(order ? { order } : {}) }),
    defaults: { batch: "all", precision: "f64", epochs: 100 },
    families: ["coordinate"],
    start: (problem, plan, engine) =>
      new FactorPasses(
        {
          name,
          tolerance,
          residuals: order !== "rows",
          passes: (binding) => (order === "rows" ? rowPasses(binding, inner) : componentPasses(binding, inner, order)),
        },
        problem,
        plan,
        engine,
      ),
  };
}

export function factorDescentFrom({ algorithm: _, ...options }: JsonObject): Algorithm {
  return factorCoordinateDescent(options as FactorDescentOptions);
}

function rowPasses({ sweepSlot, stride, gramSlot }: FactorBinding, inner: number): Pass[] {
  return ([0, 1] as const).map((side) => ({
    side,
    slot: sweepSlot,
    perRating: (1 + 2 * inner) * stride,
    perRow: gramSlot === undefined ? 0 : inner * stride ** 2,
    args: (...given) => [...given, inner],
  }));
}

/**
 * For each component, all items must be opened before any user is updated. Opening adds the component's contribution
 * back to the residuals, and this contribution must be computed from the old values of both sides.
 */
function componentPasses(binding: FactorBinding, inner: number, order: "components" | undefined): Pass[] {
  const { componentSlot, components } = binding;
  if (componentSlot === undefined) {
    if (order === undefined) return rowPasses(binding, inner);
    throw new CapabilityError(
      name,
      'order is "components", but implicit ratings need the residuals of all cells, which are not stored; use order: "rows"',
      "MODEL_CAPABILITY",
    );
  }
  const pass = (k: number, side: Side, parts: number): Pass => ({
    side,
    slot: componentSlot,
    perRating: 8,
    perRow: 8,
    args: (block, _scratch, from, to) => [block, k, parts, from, to],
  });
  return components.flatMap((k) => {
    const passes = [pass(k, 1, open)];
    for (let round = 0; round < inner; round++) {
      passes.push(pass(k, 0, round === 0 ? open | update : update));
      passes.push(pass(k, 1, round === inner - 1 ? update | close : update));
    }
    return [...passes, pass(k, 0, close)];
  });
}
