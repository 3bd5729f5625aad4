/** Coordinate descent compared with closed forms, twins and proximal gradient descent, and invalid input. */
import { describe, expect, it } from "vitest";
import type { CoordinateDescentOptions } from "../../../src/engine/optimise/coordinates/coordinate-options.ts";
import { coordinateProblem } from "../../../src/engine/optimise/coordinates/target.ts";
import { inverseTimeDecay } from "../../../src/engine/optimise/schedules/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { coordinateDescent, coordinateDescentFrom } from "../../../src/learning/coordinates/coordinate-descent.ts";
import { isSlow } from "../../power.ts";
import { approx, gaussSeidel, gradientAt, ista, leastSquares, solve, valueAt } from "../../reference/coordinate.ts";
import { begin, byMatrix, byRows, distance, engine, plan, run } from "./targets.ts";

const problem = leastSquares(40, 8, (j) => 1 + j);
const optimum = solve(problem.A, problem.b);
const free = { l1: 0, l2: 0, lower: -Infinity, upper: Infinity };
const picks = ["cyclic", "random", "permutation", "greedy", "importance"] as const;

describe("least squares by moves", () => {
  const runs = picks.flatMap((pick) => (["exact", "lipschitz"] as const).map((step) => ({ pick, step })));
  it.each(runs)("reaches the closed form: $pick, $step", async ({ pick, step }) => {
    for (const target of [byMatrix(problem), byRows(problem), byMatrix(problem, { quadratic: true })]) {
      const found = await run(target, { pick, step, tolerance: 1e-13 });
      expect(found.converged).toBe(true);
      expect(distance(found.x, optimum)).toBeLessThan(1e-10);
    }
  });

  it("reaches the closed form with five greedy moves per selection", async () => {
    const found = await run(byRows(problem), { pick: "greedy", block: 5, tolerance: 1e-13 });
    expect(distance(found.x, optimum)).toBeLessThan(1e-10);
  });
});

describe("agreement with proximal gradient descent under penalties and bounds", () => {
  const pieces = [
    { l1: 1, l2: 0, lower: -Infinity, upper: Infinity },
    { l1: 0.5, l2: 0.3, lower: -Infinity, upper: Infinity },
    { l1: 0, l2: 0, lower: -0.1, upper: 0.05 },
    { l1: 0.2, l2: 1, lower: 0, upper: 0.05 },
    { l1: 0.2, l2: 0, lower: 0.01, upper: 0.3 },
  ];
  const ways: CoordinateDescentOptions[] = [
    { pick: "cyclic" },
    { pick: "permutation", step: "lipschitz" },
    { pick: "greedy" },
    { acceleration: "nesterov" },
  ];
  it.each(pieces)("agrees: $l1 $l2 $lower $upper", async (given) => {
    const wanted = ista(problem, given);
    const x0 = new Array<number>(8).fill(Math.max(0, given.lower));
    for (const way of ways)
      for (const closed of [false, true]) {
        const found = await run(
          byMatrix(problem, { ...given, quadratic: closed }),
          { ...way, tolerance: 1e-13 },
          { x0, epochs: 3000 },
        );
        expect(distance(found.x, wanted)).toBeLessThan(1e-10);
        // Coefficients at zero or at a bound are exact.
        wanted.forEach((w, j) => {
          if (w === 0 || w === given.lower || w === given.upper) expect(found.x[j] === w).toBe(true);
        });
      }
  });
});

describe("moves", () => {
  it("equals Gauss–Seidel on a quadratic for cyclic exact moves", async () => {
    for (const target of [byMatrix(problem, { quadratic: true }), byMatrix(problem)]) {
      const progression = begin(coordinateProblem(target, new Float64Array(8)), { pick: "cyclic", acceleration: "none" });
      const x = new Array<number>(8).fill(0);
      for (let pass = 0; pass < 30; pass++) {
        gaussSeidel(problem.A, problem.b, x);
        await progression.advance(8);
        expect(distance(progression.parameters(), x)).toBeLessThanOrEqual(1e-15);
      }
    }
  });

  it("equals APPROX in its full form with x, y and z for nesterov", async () => {
    for (const given of [free, { l1: 0.5, l2: 0.1, lower: -0.1, upper: 0.2 }]) {
      const progression = begin(coordinateProblem(byMatrix(problem, given), new Float64Array(8)), { acceleration: "nesterov" });
      const picks = stream(7, "coordinate", "picks");
      const moves: number[] = [];
      // Compares up to the first restart, which comes at the first rise of the objective or after ten epochs.
      let before = Infinity;
      let epoch = 0;
      for (let rose = false; epoch < 10 && !rose; epoch++) {
        const draws = picks.at(epoch);
        for (let k = 0; k < 8; k++) moves.push(draws.integer(8));
        await progression.advance(8);
        expect(distance(progression.parameters(), approx(problem, given, moves))).toBeLessThan(1e-13);
        const { objective } = progression.report();
        rose = objective > before;
        before = objective;
      }
      expect(epoch).toBeGreaterThanOrEqual(4);
    }
  });

  it("moves the largest violation for greedy picks", async () => {
    const progression = begin(coordinateProblem(byMatrix(problem), new Float64Array(8)), { pick: "greedy" });
    let x = progression.parameters();
    for (let move = 0; move < 40; move++) {
      const gradient = gradientAt(problem, x).map(Math.abs);
      await progression.advance(1);
      const next = progression.parameters();
      const moved = Array.from(next, (v, j) => v !== x[j]);
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect(gradient[moved.indexOf(true)]).toBe(Math.max(...gradient));
      x = next;
    }
  });

  it("stays away from the optimum with estimates at a constant rate, and approaches it with a decaying rate", async () => {
    const excess = async (rate: number | ReturnType<typeof inverseTimeDecay>, epochs: number) => {
      const { x } = await run(byRows(problem), { pick: "random", estimate: { rows: 4, rate }, tolerance: 0 }, { epochs });
      return valueAt(problem, x) - valueAt(problem, optimum);
    };
    const decaying = inverseTimeDecay({ rate: 0.5, decay: 0.0005 });
    const [early, late, constant] = [await excess(decaying, 50), await excess(decaying, 5000), await excess(0.5, 5000)];
    expect(late).toBeLessThan(early / 10);
    expect(late).toBeLessThan(constant / 10);
  });

  it("estimates from one row equal rowPartial at the row that the number of the move selects", async () => {
    const progression = begin(coordinateProblem(byRows(problem), new Float64Array(8)), {
      pick: "cyclic",
      estimate: { rows: 1, rate: inverseTimeDecay({ rate: 0.5, decay: 1 }) },
    });
    const x = new Array<number>(8).fill(0);
    const rows = stream(7, "coordinate", "rows");
    for (let move = 0; move < 24; move++) {
      const row = rows.at(move).integer(40);
      const residual = problem.X[row].reduce((s, v, j) => s + v * x[j], -problem.y[row]);
      x[move % 8] -= ((0.5 / (1 + move)) * residual * problem.X[row][move % 8]) / problem.A[move % 8][move % 8];
      await progression.advance(1);
      expect(distance(progression.parameters(), x)).toBeLessThan(1e-14);
    }
  });
});

describe("acceleration", () => {
  const hard = leastSquares(60, 20);

  it("needs less than half of the epochs with Anderson's method, and never raises F", async () => {
    for (const l1 of [0, 0.05]) {
      const plain = await run(byMatrix(hard, { l1 }), { pick: "cyclic", acceleration: "none", tolerance: 1e-9, checkEvery: 1 });
      const fast = await run(byMatrix(hard, { l1 }), { pick: "cyclic", tolerance: 1e-9, checkEvery: 1 });
      expect(fast.epochs).toBeLessThan(plain.epochs / 2);
      const progression = begin(coordinateProblem(byMatrix(hard, { l1 }), new Float64Array(20)), { pick: "cyclic" });
      let before = Infinity;
      for (let epoch = 0; epoch < 100; epoch++) {
        await progression.advance(20);
        const { objective } = progression.report();
        expect(objective).toBeLessThanOrEqual(before * (1 + 1e-14));
        before = objective;
      }
    }
  });

  it("needs less than half of the epochs of plain random steps with Nesterov's method, for any seed", async () => {
    for (const seed of isSlow ? [1, 2, 3, 4, 5] : [1, 2]) {
      const options = { pick: "random", step: "lipschitz", tolerance: 1e-9, checkEvery: 1 } as const;
      const plain = await run(byMatrix(hard), options, { seed });
      const fast = await run(byMatrix(hard), { ...options, acceleration: "nesterov" }, { seed });
      expect(fast.epochs).toBeLessThan(plain.epochs / 2);
    }
  });
});

describe("convergence", () => {
  const least = valueAt(problem, optimum);
  /** A problem with a certificate: the distance to the known optimum. */
  const certified = () => {
    const bare = coordinateProblem(byMatrix(problem), new Float64Array(8));
    const open = () => {
      const state = bare.coordinates!.open(plan(), engine);
      const gap = () => {
        const primal = state.value();
        return { primal, dual: least, relative: (primal - least) / problem.c };
      };
      return Object.assign(state, { gap });
    };
    return { ...bare, coordinates: { ...bare.coordinates!, open } };
  };

  it("is determined by the relative gap, if available, every `checkEvery` epochs", async () => {
    const progression = begin(certified(), { pick: "cyclic", acceleration: "none", tolerance: 1e-9, checkEvery: 3 });
    const gaps: number[] = [];
    while (!progression.converged) {
      await progression.advance(8);
      const { gap, violation, objective } = progression.report();
      expect(violation).toBeUndefined();
      if (progression.step % 24 === 0) expect(gap).toBe((objective - least) / problem.c);
      gaps.push(gap);
    }
    expect(gaps.slice(0, 2)).toEqual([undefined, undefined]);
    expect(gaps.length % 3).toBe(0);
    expect(gaps.at(-1)).toBeLessThanOrEqual(1e-9);
    expect(gaps.at(-4)).toBeGreaterThan(1e-9);
  });

  it("is determined by the largest violation relative to the start if there is no gap", async () => {
    const found = await run(byMatrix(problem), { pick: "cyclic", tolerance: 1e-5 });
    const size = (x: ArrayLike<number>) => Math.max(...gradientAt(problem, x).map(Math.abs));
    expect(found.report.violation).toBe(size(found.x) / size(new Float64Array(8)));
    expect(found.report.violation).toBeLessThanOrEqual(1e-5);
  });

  it("is detected at the first check if the start is optimal", async () => {
    const centred = (x: Float64Array) => x.reduce((s, v) => s + v * v, 0);
    const found = await run(centred, { checkEvery: 1 }, { x0: [0, 0] });
    expect([found.converged, found.epochs]).toEqual([true, 1]);
  });
});

describe("options", () => {
  const wrong: [CoordinateDescentOptions, string][] = [
    [{ pick: "lazy" as "cyclic" }, "OPTION_RANGE"],
    [{ step: "long" as "exact" }, "OPTION_RANGE"],
    [{ tolerance: -1 }, "OPTION_RANGE"],
    [{ checkEvery: 0 }, "OPTION_RANGE"],
    [{ pick: "greedy", block: 0.5 }, "OPTION_RANGE"],
    [{ estimate: { rows: 0, rate: 1 } }, "OPTION_RANGE"],
    [{ estimate: { rows: 1, rate: 0 } }, "OPTION_RANGE"],
    [{ rule: 1 } as CoordinateDescentOptions, "OPTION_UNKNOWN"],
    [{ block: 2 }, "ALGORITHM_MEANING"],
    [{ pick: "random", acceleration: "anderson" }, "ALGORITHM_MEANING"],
    [{ pick: "cyclic", acceleration: "nesterov" }, "ALGORITHM_MEANING"],
    [{ step: "exact", acceleration: "nesterov" }, "ALGORITHM_MEANING"],
    [{ step: "exact", estimate: { rows: 1, rate: 1 } }, "ALGORITHM_MEANING"],
    [{ acceleration: "nesterov", estimate: { rows: 1, rate: 1 } }, "ALGORITHM_MEANING"],
  ];
  it.each(wrong)("refuses %j", (options, code) => {
    expect(() => coordinateDescent(options)).toThrow(expect.objectContaining({ code }));
  });

  it("are stored in JSON", () => {
    const given: CoordinateDescentOptions[] = [
      {},
      { pick: "greedy", block: 3, tolerance: 1e-3 },
      { acceleration: "nesterov", checkEvery: 2 },
      { estimate: { rows: 2, rate: 0.5 } },
      { pick: "permutation", estimate: { rows: 2, rate: inverseTimeDecay({ rate: 0.3, decay: 2 }) } },
    ];
    for (const options of given) {
      const json = coordinateDescent(options).toJSON();
      expect(coordinateDescentFrom(JSON.parse(JSON.stringify(json))).toJSON()).toEqual(json);
    }
  });

  const bare = byMatrix(problem, { curvature: undefined });
  const unmet: [string, CoordinateDescentOptions, object, string][] = [
    ["curvature for a step", { step: "lipschitz" }, {}, "MODEL_CAPABILITY"],
    ["curvature for picks", { pick: "importance" }, {}, "MODEL_CAPABILITY"],
    ["rows for estimates", { estimate: { rows: 1, rate: 1 } }, {}, "MODEL_CAPABILITY"],
    ["one worker", {}, { workers: 2, replicas: "shared" }, "PLAN_MEANING"],
    ["one replica", {}, { replicas: 2 }, "PLAN_MEANING"],
    ["no batch", {}, { batch: 4 }, "PLAN_MEANING"],
  ];
  it.each(unmet)("requires %s", (_, options, changes, code) => {
    const start = () => begin(coordinateProblem(bare, new Float64Array(8)), options, changes);
    expect(start).toThrow(expect.objectContaining({ code }));
  });

  it("refuses problems without coordinates, and acceleration combined with a residual", () => {
    const none = { name: "a model", rowCount: 1, parameterCount: 1, dispose() {} };
    expect(() => coordinateDescent().start(none, plan(), undefined as never)).toThrow(
      /coordinates, which a model does not offer.*\[MODEL_CAPABILITY\]/,
    );
    const start = () => begin(coordinateProblem(byRows(problem), new Float64Array(8)), { acceleration: "nesterov" });
    expect(start).toThrow(/between two points.*\[MODEL_CAPABILITY\]/);
  });

  it("reports an error for steps beyond the curvature", async () => {
    const steep = byMatrix(problem, { curvature: (j) => problem.A[j][j] / 10 });
    await expect(run(steep, { step: "lipschitz" })).rejects.toThrow(/diverged.*\[RUN_DIVERGED\]/);
  });
});
