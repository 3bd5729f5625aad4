import type { Conditionals, FactorTables, TableFactor } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { declare } from "../../engine/errors/options.ts";
import type { Compared } from "../../engine/errors/worse.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { eliminationAgain } from "../exact/elimination.ts";
import { Inference } from "../infer/inference.ts";
import { equalParts } from "./equal-parts.ts";
import { labelledParts } from "./label-parts.ts";
import { evidenceOf, type GraphLearner, type GraphObjective, type LearningPlan, refuseImpossible } from "./learner.ts";

/** Largest number of joint states of a factor with a learned weight. */
const MOST_STATES = 4096;

/**
 * The exact negative log-likelihood per observed variable: −ln P(evidence) = ln Z − ln Z(evidence). The exact gradient
 * is the mean of Σ_f feature g_f under the model, minus the mean of the same sum with the evidence. Elimination over a
 * junction tree computes both means. For labels y with probabilities q (`truthiness`), the loss is −E_q ln P(evidence,
 * y). The expectation is computed by enumerating the values of labels that are connected through hidden variables.
 * Exact likelihood suits graphs of small width, and serves to judge the other learners. For `fit(graph, { algorithm
 * })`.
 *
 * @throws CapabilityError if the graph is too wide, if a factor has more than 4096 joint states, or if hidden variables
 * connect labels with more than 4096 labellings
 */
export const exactLikelihood = /* @__PURE__ */ declare<Record<never, never>, GraphLearner>(
  { name: "exactLikelihood", options: {} },
  () => {
    return {
      name: "exactLikelihood",
      draws: false,
      toJSON: () => ({ algorithm: "exactLikelihood" }),
      objective: (columns, plan, engine) => new ExactObjective(columns, plan, engine),
    };
  },
);

class ExactObjective implements GraphObjective {
  readonly count: number;
  readonly rows = 1;
  readonly waits = true;
  readonly start: Float64Array;
  private readonly columns: Conditionals;
  private readonly plan: LearningPlan;
  private readonly engine: Engine;
  private readonly evidence: number;
  private terms: readonly Term[] | undefined;

  constructor(columns: Conditionals, plan: LearningPlan, engine: Engine) {
    this.columns = columns;
    this.plan = plan;
    this.engine = engine;
    this.count = columns.weightValues.length;
    this.start = columns.weightValues.slice();
    this.evidence = evidenceOf(columns);
    sizesOf(columns);
  }

  evaluate(): number {
    throw new CapabilityError(
      "exactLikelihood",
      "its gradient is computed by workers, which a rule that searches along lines cannot wait for; use a rule such as adam()",
      "RULE_CAPABILITY",
    );
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array): Promise<number> {
    const { columns, evidence } = this;
    gradient.fill(0);
    this.terms ??= termsOf(columns);
    let loss = 0;
    for (const term of this.terms) loss += term.times * (await this.expectations(x, term, gradient, term.times / evidence));
    columns.weightFixed.forEach((fixed, weight) => {
      if (fixed) gradient[weight] = 0;
    });
    return loss / evidence;
  }

  async compare(start: Float64Array, end: Float64Array): Promise<Compared> {
    const gradient = new Float64Array(this.count);
    const at = (x: Float64Array): Promise<number> => this.evaluateOnWorkers(x, gradient);
    return { start: await at(start), end: await at(end), error: 0 };
  }

  dispose(): void {}

  /** Returns ln Z and adds scale × the mean of Σ_f feature g_f to the gradient. */
  private async expectations(x: Float64Array, { columns, orders }: Term, gradient: Float64Array, scale: number): Promise<number> {
    const { plan, engine } = this;
    const graph = tablesAt(x, columns);
    // Infinite entries mean that the run diverged, so loss and gradient are NaN.
    if (graph.factors.some(({ values }) => values.some((value) => !(value < Infinity)))) {
      gradient.fill(NaN);
      return NaN;
    }
    const inference = await Inference.open(
      graph,
      eliminationAgain(orders),
      { task: "marginals", seed: plan.seed, workers: plan.workers, memory: plan.memory },
      engine,
    );
    try {
      while (!inference.converged) await inference.advance(64);
      const { ends, weights, features, cardinalities } = columns;
      const left = inference.reduction.states;
      const marginals = new Map<number, Float64Array>();
      let logZ = inference.reduction.scale;
      const seen = columns.observed.some((state) => state >= 0);
      if (left.length === 0) refuseImpossible(seen);
      for (const { variables, answer } of inference.found()) {
        logZ += answer!.logZ!.value;
        if (logZ === -Infinity) refuseImpossible(seen);
        answer!.marginals!.forEach(({ p }, i) => {
          marginals.set(variables[i], p);
        });
      }
      for (let factor = 0; factor < ends.length; factor++) {
        if (weights[factor] < 0) continue;
        const joint = cardinalities.length + factor;
        const p = marginals.get(joint);
        let mean = 0;
        left[joint].forEach((state, i) => {
          mean += (p ? p[i] : 1) * valueAt(columns, factor, state);
        });
        gradient[weights[factor]] += scale * (features?.[factor] ?? 1) * mean;
      }
      return logZ;
    } finally {
      inference.dispose();
    }
  }
}

/** A term of the loss: `times` × ln Z(columns). */
interface Term {
  readonly columns: Conditionals;
  readonly times: number;
  /** Elimination orders, which are valid for all weights. */
  readonly orders: (readonly number[])[];
}

/** Splits ln Z − ln Z(evidence) into terms. Equal parts of the graph, such as rows without evidence, are one term. */
function termsOf(columns: Conditionals): Term[] {
  const none = { ...columns, observed: columns.observed.map(() => -1) };
  const terms = (part: Conditionals, p: number): Term[] =>
    equalParts(part).map((equal) => ({ columns: equal.columns, times: p * equal.count, orders: [] }));
  return [...terms(none, 1), ...[...labelledParts(columns)].flatMap((labelled) => terms(labelled.columns, -labelled.p))];
}

/**
 * Returns the number of joint states of each factor. Each factor gets an extra variable that encodes its joint state.
 * The marginal of this variable is the factor's joint distribution.
 *
 * @throws CapabilityError if a factor has too many joint states
 */
function sizesOf({ ends, variables, cardinalities }: Conditionals): Uint32Array {
  return Uint32Array.from(ends, (end, factor) => {
    let size = 1;
    for (let edge = factor === 0 ? 0 : ends[factor - 1]; edge < end; edge++) size *= cardinalities[variables[edge]];
    if (size <= MOST_STATES) return size;
    throw new CapabilityError(
      "exactLikelihood",
      `factor ${factor} has ${size} joint states, but at most ${MOST_STATES} can be enumerated; use contrastiveDivergence() or pseudoLikelihood()`,
      "GRAPH_WIDTH",
    );
  });
}

/** Returns g at a joint state of the factor's variables. The last variable varies fastest. */
function valueAt(columns: Conditionals, factor: number, joint: number): number {
  const { ends, variables, cardinalities, literals, shapes, counting, shapeBegins, shapeValues } = columns;
  const begin = shapeBegins[shapes[factor]];
  if (!counting[shapes[factor]]) return shapeValues[begin + joint];
  const from = factor === 0 ? 0 : ends[factor - 1];
  const last = ends[factor] - 1;
  let index = 0;
  for (let edge = last, rest = joint; edge >= from; edge--) {
    const count = cardinalities[variables[edge]];
    if (rest % count === literals[edge]) index += edge === last ? last - from + 1 : 1;
    rest = Math.floor(rest / count);
  }
  return shapeValues[begin + index];
}

/** Returns the factors at these weights. Each factor has an additional variable that encodes its joint state. */
function tablesAt(x: Float64Array, columns: Conditionals): FactorTables {
  const { cardinalities, ends, variables, weights, features, observed } = columns;
  const sizes = sizesOf(columns);
  const factors: TableFactor[] = [];
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    const size = sizes[factor];
    const scope = variables.subarray(from, ends[factor]);
    const theta = (weights[factor] < 0 ? 1 : x[weights[factor]]) * (features?.[factor] ?? 1);
    const logs = Float64Array.from({ length: size }, (_, joint) => {
      const value = valueAt(columns, factor, joint);
      return value === -Infinity || value === 0 ? value : theta * value;
    });
    if (weights[factor] < 0) {
      factors.push({ scope, values: logs, logs: true });
      continue;
    }
    // Merges the factor's table with the indicator that the extra variable equals the joint state. The product is a
    // table with nonzero entries only on the diagonal.
    const values = new Float64Array(size * size).fill(-Infinity);
    for (let joint = 0; joint < size; joint++) values[joint * size + joint] = logs[joint];
    factors.push({ scope: [...scope, cardinalities.length + factor], values, logs: true });
  }
  const counts = Uint32Array.from([...cardinalities, ...sizes.map((size, factor) => (weights[factor] < 0 ? 1 : size))]);
  const seen = new Int32Array(counts.length).fill(-1);
  seen.set(observed);
  const { state } = columns;
  const name = (variable: number): string =>
    variable < cardinalities.length ? columns.name(variable) : `the joint states of factor ${variable - cardinalities.length}`;
  return { cardinalities: counts, variableCount: columns.variableCount, factors, observed: seen, name, state };
}
