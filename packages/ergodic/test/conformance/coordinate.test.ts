/**
 * Every meaningful combination of pick, step and acceleration keeps the family's promises. Exact and safeguarded moves
 * never raise the objective. A run does not depend on how its steps are grouped. It resumes bit for bit at any step and
 * is rebuilt from its JSON.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { Problem, Progression, Snapshot } from "../../src/engine/contract/index.ts";
import type { CoordinateDescentOptions } from "../../src/engine/optimise/coordinates/coordinate-options.ts";
import type { CoordinateTarget } from "../../src/engine/optimise/coordinates/coordinate-target.ts";
import { pickNames } from "../../src/engine/optimise/coordinates/picks.ts";
import { coordinateProblem } from "../../src/engine/optimise/coordinates/target.ts";
import { inverseTimeDecay } from "../../src/engine/optimise/schedules/index.ts";
import { coordinateDescent, coordinateDescentFrom } from "../../src/learning/coordinates/coordinate-descent.ts";
import { linear } from "../../src/learning/fit/kinds/linear.ts";
import type { LinearOptions } from "../../src/learning/models/linear/linear.ts";
import { plantedRows } from "../engine/loop/planted.ts";
import { byMatrix, byRows, engine, plan } from "../learning/coordinates/targets.ts";
import { isSlow, power } from "../power.ts";
import { leastSquares } from "../reference/coordinate.ts";

const COLUMNS = 7;
const problem = leastSquares(30, COLUMNS, (j) => 1 + j / 2);
const penalised = { l1: 0.1, l2: 0.01, lower: -0.6, upper: 0.9 };
const targets: Record<string, CoordinateTarget> = {
  plain: byMatrix(problem),
  penalised: byMatrix(problem, penalised),
  "with a residual": byRows(problem, penalised),
  "by values": byMatrix(problem, { ...penalised, partial: undefined }),
};

const estimate = { rows: 3, rate: inverseTimeDecay({ rate: 0.5, decay: 0.01 }) };
const given: CoordinateDescentOptions[] = [
  ...pickNames.flatMap((pick): CoordinateDescentOptions[] => [
    { pick, step: "exact", acceleration: "none" },
    { pick, step: "lipschitz", acceleration: "none" },
    { pick, estimate },
  ]),
  { pick: "greedy", block: 3 },
  { pick: "cyclic", step: "exact", acceleration: "anderson" },
  { pick: "cyclic", step: "lipschitz", acceleration: "anderson" },
  { acceleration: "nesterov" },
  {},
];
const combinations = given.map((options): CoordinateDescentOptions => ({ ...options, checkEvery: 2 }));

interface Subject {
  name: string;
  problem: Problem;
  /** Estimates, momentum and bounds on curvatures. */
  offers: { estimates: boolean; pairs: boolean; bounds: boolean };
}

const start = new Float64Array(COLUMNS).fill(0.5);
const subjects: Subject[] = Object.entries(targets).map(([name, target]) => ({
  name,
  problem: coordinateProblem(target, start),
  offers: { estimates: target.rows !== undefined, pairs: !target.moved, bounds: true },
}));

const group = {
  strength: 0.02,
  groups: [
    ["x0", "x2"],
    ["x1", "x3", "x4"],
  ],
};
const models: { name: string; model: LinearOptions; classes: number | "count"; format: "dense" | "sparse" }[] = [
  { name: "lasso", model: { l1: 0.02 }, classes: 0, format: "dense" },
  { name: "logistic", model: { l1: 0.01, l2: 0.01 }, classes: 2, format: "sparse" },
  { name: "poisson", model: { loss: "poisson", l1: 0.01 }, classes: "count", format: "dense" },
  { name: "multinomial with groups", model: { l2: 0.01, group }, classes: 3, format: "sparse" },
  { name: "squared with groups", model: { group }, classes: 0, format: "dense" },
];
for (const { name, model, classes, format } of models) {
  const { data } = plantedRows({ rows: 30, columns: 6, classes, format, density: 0.6 });
  const problem = linear({ standardise: false, ...model }).bind(data, plan(), engine);
  const bounds = classes !== "count";
  subjects.push({ name, problem, offers: { estimates: bounds, pairs: bounds, bounds } });
}

/** Omits combinations that a problem does not support. */
const runs = subjects.flatMap(({ name, problem, offers }) =>
  combinations
    .filter(
      ({ estimate, acceleration, step, pick = acceleration ?? "auto" }) =>
        // On linear models without groups, "auto" selects another algorithm.
        (pick !== "auto" || !problem.byColumns || problem.coordinates?.blocks) &&
        (offers.estimates || !estimate) &&
        (offers.pairs || acceleration !== "nesterov") &&
        (offers.bounds || (step !== "lipschitz" && pick !== "importance")),
    )
    .map((options) => ({ name, problem, options, title: `${name}: ${JSON.stringify(options)}` })),
);

const begun: Progression[] = [];
afterEach(() => {
  for (const progression of begun.splice(0)) progression.dispose();
});

function begin(problem: Problem, options: CoordinateDescentOptions): Progression {
  const progression = coordinateDescent(options).start(problem, plan(), engine) as Progression;
  begun.push(progression);
  return progression;
}

async function walk(progression: Progression, steps: number, most: number): Promise<void> {
  const end = progression.step + steps;
  while (progression.step < end) await progression.advance(Math.min(most, end - progression.step));
}

const bytes = ({ tensors, state }: Snapshot) => ({
  state,
  tensors: Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => [name, Buffer.from(t.buffer, t.byteOffset, t.byteLength).toString("hex")]),
  ),
});

describe.each(runs)("$title", ({ name, problem, options }) => {
  const EPOCHS = 14;
  /** Passes of runs that are only compared with each other. */
  const passes = power(8, EPOCHS);
  let end: Promise<{ steps: number; snapshot: ReturnType<typeof bytes>; parameters: Float64Array }> | undefined;
  const walked = () => {
    end ??= (async () => {
      const whole = begin(problem, options);
      const steps = passes * whole.stepsPerEpoch;
      await walk(whole, steps, 1000);
      return { steps, snapshot: bytes(whole.snapshot()), parameters: Float64Array.from(whole.parameters()) };
    })();
    return end;
  };

  it("never raises the objective, or ends below its start with estimates or momentum", async () => {
    const progression = begin(problem, options);
    const first = progression.report().objective;
    const pass = progression.stepsPerEpoch;
    let before = first;
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      await walk(progression, pass, pass);
      const { objective } = progression.report();
      if (!options.estimate && options.acceleration !== "nesterov") expect(objective).toBeLessThanOrEqual(before * (1 + 1e-14));
      before = objective;
    }
    expect(before).toBeLessThan(0.9 * first);
  });

  it("gives the same result however steps are grouped", async () => {
    const { steps, snapshot } = await walked();
    for (const most of isSlow ? [1, 3] : [3]) {
      const parts = begin(problem, options);
      await walk(parts, steps, most);
      expect(bytes(parts.snapshot())).toEqual(snapshot);
    }
  });

  it("resumes bit for bit at any step", async () => {
    const { steps, snapshot: wanted, parameters } = await walked();
    // Covers steps within a pass and between two passes, before and after a check.
    for (const at of name === "by values" ? [5, 45] : isSlow ? [1, 5, 7, 34, 35, 36, 45, 76] : [7, 36]) {
      if (at >= steps) break;
      const first = begin(problem, options);
      await walk(first, at, 1000);
      const kept = first.snapshot();
      const state = JSON.parse(JSON.stringify(kept.state));
      // A snapshot is a copy, so continuing the run does not change it.
      await walk(first, 20, 1000);
      const resumed = begin(problem, options);
      resumed.restore({ tensors: kept.tensors, state });
      await walk(resumed, steps - at, 1000);
      expect(bytes(resumed.snapshot())).toEqual(wanted);
      expect(resumed.parameters()).toEqual(parameters);
    }
  });

  it("is rebuilt from its JSON", async () => {
    const json = coordinateDescent(options).toJSON();
    const again = coordinateDescentFrom(JSON.parse(JSON.stringify(json)));
    expect(again.toJSON()).toEqual(json);
    const [one, other] = [begin(problem, options), again.start(problem, plan(), engine) as Progression];
    begun.push(other);
    for (const progression of [one, other]) await walk(progression, 3 * one.stepsPerEpoch, 1000);
    expect(bytes(other.snapshot())).toEqual(bytes(one.snapshot()));
  });
});
