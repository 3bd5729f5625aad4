/**
 * minimize(compiled, start, { rule }): minimises a function that compileFunction compiled with a gradient, by any rule
 * that works on the whole objective.
 *
 *   const { x, value } = await minimize(loss, { w: [0, 0] }, { rule: lbfgs(), data: { x, y } });
 *
 * x is one vector of the inputs named in `gradient`, in that order. `start` gives these inputs by name, or as one
 * vector. All other inputs are data. These data are passed as `data` or have been written to `compiled.inputs`. rule:
 * default lbfgs(). An epoch is one update. The default is 1000 epochs, but L-BFGS and line searches end earlier if they
 * converge. The state of the run is float64, and arithmetic has the function's precision. If the function draws random
 * numbers, it makes new draws at each update. Step rules that compare values refuse such functions. A checkpoint holds
 * no data: `minimize.resume(checkpoint, compiled, { data })` continues bit for bit with the same data.
 *
 * @throws OptionError, CapabilityError when something does not fit; ErgodicError [RUN_DIVERGED]; the reason of an
 * aborted `signal`
 */

import type { CompiledFunction, Numbers, Shapes } from "../../engine/compiler/array/function.ts";
import { arraysBelow } from "../../engine/compiler/array/symbolic.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import { checkAlgorithm, checkNumbers, checkSignal, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, OptionError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { meanOfBlocks, worseFindings } from "../../engine/errors/worse.ts";
import {
  type Checkpoint,
  checkpointBytes,
  fromCheckpoint,
  readCheckpointOf,
  refuseOtherValue,
} from "../../engine/loop/checkpoint.ts";
import { isNumber, KeptPart } from "../../engine/loop/kept-part.ts";
import { minimumNames } from "../../engine/loop/result-names.ts";
import { Run, type RunSummary } from "../../engine/loop/run.ts";
import { resolveStopping, type Until } from "../../engine/loop/stopping.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { type GradientDescent, refuseLink } from "../../engine/optimise/fits.ts";
import { fullDescent } from "../../engine/optimise/full.ts";
import { isRule, type Rule, type RuleJson } from "../../engine/optimise/kinds.ts";
import type { FullObjective } from "../../engine/optimise/objective.ts";
import { lbfgs } from "../../engine/optimise/rules/lbfgs.ts";

type Given = ArrayLike<number> | number;
export type GivenByName = Readonly<Record<string, Given>>;

/** Options of gradient descent that can be changed when the run is resumed. */
export interface GradientResumeOptions {
  /** Limits of the run: epochs, updates, seconds or tolerance, whichever is reached first. One epoch is one update. */
  until?: Until;
  /** Inputs that are not searched, by name. */
  data?: GivenByName;
  /** Signal that aborts the run. */
  signal?: AbortSignal;
}

/** Options of `minimize` for a function compiled with a gradient. */
export interface MinimizeGradientOptions extends GradientResumeOptions {
  /** Step rule, e.g. lbfgs() or adam(). Default lbfgs(). */
  rule?: Rule;
  /** Algorithm instead of `rule`: gradientDescent({ rule }). */
  algorithm?: GradientDescent;
  /** Largest number of updates. Default 1000; > 0. */
  epochs?: number;
}

/** Result of a gradient descent. */
export interface GradientMinimum {
  /** Point at which the run ended, by input name. */
  x: Record<string, Float64Array>;
  /** Value of the function at that point. */
  value: number;
  /** Euclidean norm of the gradient at that point. */
  gradientNorm: number;
  /** Reason why the run stopped. */
  reason: string;
  /** Summary of the run. */
  run: RunSummary;
}

/** Members of a compiled function that this module uses, for any shapes. */
export type Differentiated = Pick<CompiledFunction<Shapes>, "outputs" | "run" | "program"> & {
  readonly inputs: Readonly<Record<string, Numbers>>;
  readonly gradients: Readonly<Record<string, Numbers | undefined>>;
};

const EPOCHS = 1000;

export const isCompiled = (f: unknown): f is Differentiated => typeof f === "function" && "program" in f && "gradients" in f;

export function minimizeGradient(
  f: Differentiated,
  start: Given | GivenByName,
  options: MinimizeGradientOptions,
): Run<GradientMinimum> {
  checkKeys("minimize", options, ["rule", "algorithm", "epochs", "until", "data", "signal"]);
  const { epochs, until, data = {}, signal } = options;
  checkSignal("minimize", signal);
  const rule = ruleOf("minimize", options);
  const stopping = resolveStopping("minimize", { epochs: epochs ?? (until === undefined ? EPOCHS : undefined), until }, false);
  const objective = new CompiledObjective("minimize", f, data);
  refuseMisfits("minimize", rule, objective);
  const x0 = objective.gather(start);
  return launch(objective, signal, async () => ({ rule, x0, until: stopping.until }));
}

/** Continues from a checkpoint of such a run, bit for bit; function and data must be the same. */
export function resumeGradient(
  from: string | Uint8Array | Blob,
  f: Differentiated,
  options: GradientResumeOptions = {},
): Run<GradientMinimum> {
  checkKeys("minimize.resume", options, ["until", "data", "signal"]);
  checkSignal("minimize.resume", options.signal);
  const objective = new CompiledObjective("minimize.resume", f, options.data ?? {});
  return launch(objective, options.signal, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "gradient");
    return fromCheckpoint(async (): Promise<Recipe> => {
      const { ruleFromJson } = await import("../../engine/optimise/index.ts");
      const part = new KeptPart("the descent", { tensors: {}, state: kept });
      const { until } = resolveStopping("minimize.resume", { until: options.until ?? (part.object("until") as Until) }, false);
      const rule = ruleFromJson(part.object("rule") as unknown as RuleJson);
      refuseMisfits("minimize.resume", rule, objective);
      const x0 = objective.gather(part.list("x0", isNumber));
      // The value is absent from checkpoints of earlier versions, and from checkpoints of functions that draw random
      // numbers.
      const value = typeof kept.value === "number" ? { value: kept.value } : {};
      return { rule, x0, until, ...value, checkpoint };
    });
  });
}

function ruleOf(where: string, { rule, algorithm }: MinimizeGradientOptions): Rule {
  if (rule !== undefined && algorithm !== undefined)
    throw new OptionError(where, "rule and algorithm were both given; leave one out", "OPTION_CONFLICT");
  if (algorithm === undefined) {
    if (rule !== undefined && !isRule(rule)) refuse(where, "rule", rule, "a rule", "lbfgs()");
    return rule ?? lbfgs();
  }
  checkAlgorithm(where, "algorithm", algorithm, "fit", "gradientDescent({ rule: lbfgs() })");
  const { name, variance, preconditioned } = algorithm;
  if (name !== "gradientDescent" || variance || preconditioned)
    throw new CapabilityError(
      where,
      `algorithm is ${name}${variance ? " with variance reduction" : preconditioned ? ", preconditioned" : ""}, but a compiled function gives whole gradients; use algorithm: gradientDescent({ rule: lbfgs() })`,
      "MINIMIZE_ALGORITHM",
    );
  return algorithm.rule;
}

function refuseMisfits(
  where: string,
  rule: Rule,
  { draws }: CompiledObjective,
): asserts rule is Exclude<Rule, { kind: "search" }> {
  const refuse = (message: string, code: string): never => {
    throw new CapabilityError(where, message, code);
  };
  if (rule.kind === "search")
    refuse(`${rule.name} searches on minibatches, but a compiled function has no minibatches; use lbfgs()`, "PLAN_MEANING");
  refuseLink(where, rule);
  if (rule.kind === "host" && draws)
    refuse(
      `${rule.name} compares values, but the function draws new random numbers at each evaluation; use rule: adam()`,
      "RULE_RANDOM",
    );
}

/**
 * Objective of a compiled function. Its parameters are the inputs with respect to which the function is differentiated,
 * as one vector.
 */
class CompiledObjective implements FullObjective {
  readonly count: number;
  readonly rows = 1;
  start: Float64Array | undefined;
  readonly draws: boolean;
  readonly #where: string;
  readonly #f: Differentiated;
  readonly #parts: { name: string; from: number; to: number }[] = [];

  constructor(where: string, f: Differentiated, data: GivenByName) {
    this.#where = where;
    this.#f = f;
    const { inputs, gradients } = f;
    let count = 0;
    for (const name of Object.keys(gradients)) this.#parts.push({ name, from: count, to: (count += inputs[name].length) });
    this.count = count;
    if (count === 0)
      throw new CapabilityError(
        where,
        `the function ${f.program.name} has no gradient; compile it with { gradient: [${JSON.stringify(Object.keys(inputs)[0] ?? "x")}] }`,
        "MINIMIZE_GRADIENT",
      );
    this.draws = arraysBelow(f.program.outputs.map(({ value }) => value)).some(({ op }) => op === "uniform" || op === "normal");
    const others = Object.keys(inputs).filter((name) => gradients[name] === undefined);
    checkKeys(`${where}.data`, data, others);
    for (const [name, given] of Object.entries(data)) inputs[name].set(this.#numbers(`data.${name}`, given, inputs[name].length));
  }

  /** Returns `start` as one vector and makes it the objective's starting point. */
  gather(start: Given | GivenByName): Float64Array {
    const vector = new Float64Array(this.count);
    if (typeof start === "number" || "length" in start) vector.set(this.#numbers("start", start as Given, this.count));
    else {
      const names = this.#parts.map(({ name }) => name);
      checkKeys(`${this.#where}.start`, start, names);
      for (const { name, from, to } of this.#parts) vector.set(this.#numbers(`start.${name}`, start[name], to - from), from);
    }
    this.start = vector;
    return vector;
  }

  /** Returns the inputs by name. */
  scatter(x: Float64Array): Record<string, Float64Array> {
    return Object.fromEntries(this.#parts.map(({ name, from, to }) => [name, x.slice(from, to)]));
  }

  evaluate(x: Float64Array, gradient: Float64Array | null, update = 0): number {
    const { inputs } = this.#f;
    for (const { name, from, to } of this.#parts) inputs[name].set(x.subarray(from, to));
    this.#f.run(update);
    const { gradients, outputs } = this.#f;
    if (gradient) for (const { name, from } of this.#parts) gradient.set(gradients[name]!, from);
    return Object.values(outputs)[0][0];
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update = 0): Promise<number> {
    return this.evaluate(x, gradient, update);
  }

  /** The memory of the function belongs to the caller. */
  dispose(): void {}

  #numbers(name: string, given: Given | undefined, wanted: number): ArrayLike<number> {
    const numbers = typeof given === "number" ? [given] : given;
    if (numbers !== undefined) checkNumbers(this.#where, name, numbers);
    if (numbers?.length === wanted) return numbers;
    const what = numbers === undefined ? "missing" : `of ${numbers.length} numbers`;
    throw new OptionError(
      this.#where,
      `${name} is ${what}, but must have ${wanted}, as the function's shapes say`,
      "OPTION_LENGTH",
    );
  }
}

/**
 * Number of random draws whose mean is used when a random function is compared at two points. The same draws are used
 * at both.
 */
const COMPARED_DRAWS = 16;

function worseThanStart(objective: CompiledObjective, { x0, value }: JsonObject, x: Float64Array): Finding[] {
  const start = Float64Array.from(x0 as number[]);
  if (!objective.draws)
    return worseFindings({ start: Number(value), end: objective.evaluate(x, null), error: 0 }, "the value", 0);
  const values = (at: Float64Array): number[] =>
    Array.from({ length: COMPARED_DRAWS }, (_, update) => objective.evaluate(at, null, update));
  return worseFindings(meanOfBlocks(values(start), values(x)), "the mean value");
}

interface Recipe {
  rule: Rule;
  x0: Float64Array;
  until: Until;
  /** Value of the function at x0 when the checkpoint was made. */
  value?: number;
  checkpoint?: Checkpoint;
}

function launch(
  objective: CompiledObjective,
  signal: AbortSignal | undefined,
  read: () => Promise<Recipe>,
): Run<GradientMinimum> {
  let json: JsonObject;
  return new Run<GradientMinimum>({
    resultNames: minimumNames(),
    signal,
    start: async () => {
      const { rule, x0, until, checkpoint, ...kept } = await read();
      const engine = await openEngine();
      const value = objective.draws ? Number.NaN : objective.evaluate(x0, null);
      if (kept.value !== undefined) refuseOtherValue(kept.value, value);
      const known: JsonObject = Number.isFinite(value) ? { value } : {};
      json = { rule: rule.toJSON() as unknown as JsonObject, x0: [...x0], until: until as JsonObject, ...known };
      const options = { objective, penalty: undefined, precision: "f64", workers: 1, deterministic: false } as const;
      return {
        progression: fullDescent({ ...options, rule: rule as Exclude<Rule, { kind: "search" }> }, engine),
        stopping: { until, validateEvery: 1, patience: undefined },
        chosen: json,
        ...(checkpoint ? { resume: checkpoint } : {}),
      };
    },
    finish: (x, summary) => {
      const gradient = new Float64Array(objective.count);
      const run = { ...summary, findings: worseThanStart(objective, json, x) };
      const value = objective.evaluate(x, gradient, run.updates);
      return {
        x: objective.scatter(x),
        value,
        gradientNorm: Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)),
        reason: run.reason,
        run,
      };
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { gradient: json } }),
  });
}
