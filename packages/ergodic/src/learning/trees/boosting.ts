import type { Advance, Algorithm, Plan, Problem, Progression, Snapshot, TreeState } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";

/**
 * Gradient boosting: each step adds one round of trees, fitted to the derivatives of the loss on all rows. An epoch is
 * one round.
 *
 * With several workers, each sums the histograms of a part of the columns. Sums are whole numbers, so the result does
 * not depend on the number of workers.
 * The run has converged if no tree of a round divides the rows, because then no later tree can either.
 * Needs: a model of trees. Source: Friedman 2001. Differs from other implementations: derivatives are summed as whole
 * multiples of a power of two.
 */
export const boosting = (): Algorithm => growing("boosting", "trees", "trees()");

/**
 * Grows trees that do not depend on each other: those of a forest, or a single tree. An epoch is one tree. With several
 * workers, each grows a tree of its own.
 *
 * Needs: a model of trees with means in their leaves. Source: Breiman 1996.
 */
export const bagging = (): Algorithm => growing("bagging", "forest", "forest()");

function growing(name: "boosting" | "bagging", capability: "trees" | "forest", model: string): Algorithm {
  return {
    name,
    verb: "fit",
    takesStart: true,
    toJSON: () => ({ algorithm: name }),
    defaults: { batch: "all", precision: "f64", epochs: 100 },
    families: ["trees", "coordinate"],
    start(problem, plan: Plan) {
      const growth = problem[capability];
      if (!growth)
        throw new CapabilityError(
          name,
          `a ${problem.name} model has no trees to grow in this way; use ${model}, or leave algorithm out`,
          "MODEL_CAPABILITY",
        );
      if (plan.replicas !== 1)
        throw new CapabilityError(name, "trees are grown on all rows at once; leave replicas out", "PLAN_MEANING");
      return new Growing(problem, growth.open(plan));
    },
  };
}

class Growing implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  converged: boolean | string = false;
  private readonly state: TreeState;
  private readonly rowCount: number;

  constructor({ rowCount }: Problem, state: TreeState) {
    this.state = state;
    this.rowCount = rowCount;
  }

  get step(): number {
    return this.state.rounds;
  }

  get updates(): number {
    return this.state.rounds;
  }

  async advance(steps: number): Promise<Advance> {
    let lossSum = 0;
    let made = 0;
    while (made < steps && !this.converged) {
      const { loss, divides, ends } = await this.state.round();
      lossSum += loss * this.rowCount;
      made++;
      if (ends) this.converged = ends;
      else if (!divides && !this.state.samples) this.converged = "no division of the rows lowers the loss";
    }
    return { updates: made, lossSum, rows: made * this.rowCount };
  }

  parameters(): Float64Array {
    return this.state.parameters();
  }

  snapshot(): Snapshot {
    return {
      tensors: { trees: this.state.parameters(), ...this.state.sums?.() },
      state: { rounds: this.state.rounds, converged: this.converged },
    };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the trees", snapshot);
    const { rounds, converged } = kept.state;
    if (!(Number.isSafeInteger(rounds) && (rounds as number) >= 0)) kept.refuse("its number of rounds is missing");
    if (typeof converged !== "boolean" && typeof converged !== "string") kept.refuse("it does not say whether it converged");
    const { trees } = snapshot.tensors;
    if (!(trees instanceof Float64Array)) kept.refuse("its trees are missing");
    this.state.restore(trees as Float64Array, rounds as number, snapshot.tensors);
    this.converged = converged as boolean | string;
  }

  report(): Record<string, number> {
    return this.state.report();
  }

  dispose(): void {
    this.state.dispose();
  }
}
