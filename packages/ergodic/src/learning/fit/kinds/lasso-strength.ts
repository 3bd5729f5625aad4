import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { resolvePlan } from "../../../engine/loop/plan.ts";
import { openEngine } from "../../../engine/memory/engine.ts";
import { turn } from "../../../engine/threads/turn.ts";
import { chooseLoss } from "../../models/choose-loss.ts";
import { type LinearModel, linearModel } from "../../models/linear/linear.ts";
import { startPath } from "../path-solvers.ts";
import { dealt } from "./held-rows.ts";
import type { StrengthOptions } from "./linear-strength.ts";

/**
 * Number of strengths: from the smallest at which all coefficients are 0, in steps of a factor of 0.9, to SMALLEST times
 * this strength.
 */
const COUNT = 132;
const SMALLEST = 1e-6;
/** The search ends when this many successive strengths, about a factor of three, predict worse than the best one. */
const MOST_WORSE = 10;
/** Relative duality gap of the models that are compared. */
const NEAR = 1e-4;

/**
 * Chooses the strength for `l1: "auto"`: the strength of a lasso path whose models predict held-out rows best. The rows
 * and folds are those by which `l2: "auto"` is chosen, but columns are standardised by all of these rows. If only a
 * sample of the rows is used, the strength is multiplied by √(sample / rows), as for the noise in a mean.
 *
 * @throws CapabilityError [MODEL_PENALTY] if there are too few rows to hold any out
 */
export async function chosenLasso(
  model: LinearModel,
  data: Dataset,
  { deterministic = false, seed = 0, signal }: StrengthOptions,
): Promise<{ l1: number; why: string }> {
  const { loss } = chooseLoss("linear", model.options.loss, data);
  const dealtRows = dealt(data, seed, loss.task === "binary");
  if (dealtRows.length === 0)
    throw new CapabilityError(
      "linear",
      'l1 is "auto", but there are too few rows to hold any out; give a number',
      "MODEL_PENALTY",
    );
  const taken = Uint32Array.of(...dealtRows[0].train, ...dealtRows[0].held).sort();
  const rows = taken.length < data.rowCount ? data.select(taken) : data;
  const engine = await openEngine({ deterministic, families: ["coordinate"] });
  const defaults = { batch: "all", precision: "f64" } as const;
  const plan = resolvePlan("fit", { deterministic, seed }, engine.describe(), defaults, data.type);
  const free = linearModel({ ...model.options, l1: 0, l2: 0 });
  const best = { at: 0, lambda: 0, loss: Infinity };
  const opened: { dispose(): void }[] = rows === data ? [] : [rows];
  const keep = <T extends { dispose(): void }>(made: T): T => {
    opened.push(made);
    return made;
  };
  try {
    const ready = keep(free.prepare(rows, plan));
    const problem = keep(free.bind(ready.dataset, plan, engine));
    const parts = { model: free, prepared: ready.dataset, problem, folds: foldsOf(taken, dealtRows), plan, engine };
    const path = keep(startPath(parts, { lambdas: COUNT, ratio: SMALLEST, l1Ratio: 1, tolerance: NEAR }));
    while (path.step < COUNT && path.step - best.at <= MOST_WORSE && !path.converged) {
      signal?.throwIfAborted();
      const { updates } = await path.advance(1);
      const { lambda, heldOut } = path.report();
      if (updates > 0 && heldOut < best.loss) Object.assign(best, { at: path.step, lambda, loss: heldOut });
      await turn();
    }
  } finally {
    for (const one of opened.reverse()) one.dispose();
  }
  const l1 = best.lambda * Math.sqrt(taken.length / data.rowCount);
  const edge = best.at === 1 ? ", the largest strength that is tried: all coefficients are 0" : "";
  const limit = best.at === COUNT ? ", the smallest strength that is tried" : edge;
  return { l1, why: `l1 is ${Number(l1.toPrecision(3))}, under which held-out rows are predicted best${limit}` };
}

/** Returns the fold of each row. Rows that no fold holds out have a number of their own. */
function foldsOf(taken: Uint32Array, held: readonly { readonly held: Uint32Array }[]): { of: Uint32Array; count: number } {
  const place = new Map(Array.from(taken, (row, i) => [row, i]));
  const of = new Uint32Array(taken.length).fill(held.length);
  for (const [f, fold] of held.entries()) for (const row of fold.held) of[place.get(row)!] = f;
  return { of, count: held.length };
}
