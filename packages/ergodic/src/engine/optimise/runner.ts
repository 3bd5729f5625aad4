import {
  evaluateProgram,
  type LinkedProgram,
  linkProgram,
  type ProgramEnvironment,
  type ProgramSpec,
} from "../compiler/index.ts";
import { holds, refuse } from "../errors/checks.ts";
import { assert } from "../errors/errors.ts";
import { type Engine, openEngine } from "../memory/engine.ts";
import { type Allocation, type EngineMemory, engineMemory, own } from "../memory/memory.ts";
import type { Holder } from "../memory/modules.ts";
import { type EquationRule, withEquation } from "./kinds.ts";
import { evaluationProgram, type RuleProgram, type RuleProgramOptions, ruleProgram } from "./rule-program.ts";

export interface RunnerOptions extends Omit<RuleProgramOptions, "gradientType" | "parameterType" | "precision"> {
  count: number;
  /** Starting point; zeros if absent. */
  start?: ArrayLike<number>;
  precision?: "f32" | "f64";
  /** Storage type of the gradient. Default: `precision`. */
  gradientType?: "f32" | "f64";
  /** Whether the interpreter runs the program. Default false. */
  interpret?: boolean;
}

function checkRunner(where: string, rule: EquationRule, options: RunnerOptions): void {
  withEquation(where, rule);
  if (!holds(options, "count")) refuse(where, "options", options, "an object with the number of parameters", "{ count: 10 }");
}

/** Complete state of a runner, bit for bit. */
export interface RuleSnapshot {
  /** Number of updates made. */
  t: number;
  /** Scalar states by name. */
  scalars: Record<string, number>;
  /** Vector states by name, in bytes. */
  vectors: Record<string, Uint8Array>;
}

export interface StepInputs {
  epochUpdates?: number;
  /** Factor of the gradient. Default 1. */
  scale?: number;
  l1?: number;
  l2?: number;
  /**
   * Number of leading coordinates that the step updates. For an indexed runner, the number of entries of `indices()`
   * and `gradient()` that this step uses. Default: all.
   */
  touched?: number;
}

type Floats = Float32Array | Float64Array;
type Run = (count: number, scalars: Record<string, number>) => Record<string, number>;

/**
 * A rule that runs on a parameter vector in engine memory. The runner owns the parameters, the states, the gradient,
 * the indices and the program's block.
 *
 * Usage: fill `gradient()` (and `indices()` for an indexed runner), then call `step(loss)`, which makes p ← p − step,
 * advances the states and increments t. The program runs either compiled or in the compiler's interpreter, which is the
 * reference. The kernels of the loop use the same program with their own layout. This class is for full-vector steps,
 * tests and benchmarks.
 *
 * Methods return views of the memory's current buffer. An allocation invalidates these views.
 */
export class RuleRunner implements Disposable, Holder {
  protected static readonly typeName: string = "RuleRunner";
  /** Rule that runs. */
  readonly rule: EquationRule;
  /** Number of parameters. */
  readonly count: number;
  /** Type of the parameters and states. */
  readonly precision: "f32" | "f64";
  /** Program of the rule. */
  readonly program: RuleProgram;
  private readonly memory: EngineMemory;
  private readonly whole: Allocation;
  private claim: Disposable | undefined;
  private readonly offsets = new Map<string, number>();
  private readonly gradientType: "f32" | "f64";
  private readonly scalars: Record<string, number> = {};
  private readonly run: Run;
  private updates = 0;

  /** Compiles the rule's program and links it to the engine, or uses the interpreter if requested. */
  static async open(rule: EquationRule, options: RunnerOptions): Promise<RuleRunner> {
    checkRunner("RuleRunner.open", rule, options);
    return new RuleRunner(rule, options, options.interpret ? null : await openEngine());
  }

  constructor(rule: EquationRule, options: RunnerOptions, engine: Engine | null) {
    checkRunner("RuleRunner", rule, options);
    const { count, precision = "f64", gradientType = precision, start } = options;
    this.rule = rule;
    this.count = count;
    this.precision = precision;
    this.gradientType = gradientType;
    this.program = ruleProgram(rule, { ...options, precision, gradientType });
    this.memory = engine?.memory ?? engineMemory();
    const compiled = engine && linkProgram(engine, this.program.spec, this);
    const block = this.layOut(compiled?.program.blockBytes ?? 0);
    this.whole = this.memory.allocate(block.end, `rule ${rule.name}`);
    own(this, this.whole);
    if (options.share) this.vector("share").fill(1);
    if (options.rates) this.vector("rates").fill(1);
    if (start) this.parameters().set(start);
    for (const { name, initial } of this.program.states) {
      if (initial === "p") this.vector(name).set(this.parameters());
      else this.vector(name).fill(initial);
    }
    for (const { name, value } of this.program.inputs) this.scalars[name] = value;
    for (const { name, initial } of this.program.scalarStates) this.scalars[name] = initial;
    this.run = compiled ? this.linked(compiled, block.pointer) : this.interpreted();
  }

  /** Number of updates made. */
  get t(): number {
    return this.updates;
  }

  /** Bytes of vector states. */
  get stateBytes(): number {
    return this.program.states.reduce((bytes, { name }) => bytes + this.vector(name).byteLength, 0);
  }

  /** Returns a view into which the caller writes the gradient. */
  gradient(): Floats {
    return this.vector("values");
  }

  /** Returns a view of the parameters. */
  parameters(): Floats {
    return this.vector("parameter");
  }

  /** Returns a view into which the caller writes the indices of an indexed runner. */
  indices(): Int32Array {
    return this.memory.i32(this.pointer("indices"), this.count);
  }

  /** Returns a vector by its operand name: a state, share or base. */
  vector(name: string): Floats {
    const type = name === "values" ? this.gradientType : this.precision;
    return type === "f32" ? this.memory.f32(this.pointer(name), this.count) : this.memory.f64(this.pointer(name), this.count);
  }

  /** Returns the value of a scalar state or an option. */
  scalar(name: string): number {
    assert(name in this.scalars, `the rule ${this.rule.name} has no scalar ${name}`);
    return this.scalars[name];
  }

  /** Makes one update. `loss`: loss of the batch at the parameters. */
  step(loss: number, { epochUpdates = 1, scale = 1, l1 = 0, l2 = 0, touched = this.count }: StepInputs = {}): void {
    this.updates++;
    const results = this.run(touched, { ...this.scalars, t: this.updates, loss, epochUpdates, scale, l1, l2 });
    for (const { name } of this.program.scalarStates) this.scalars[name] = results[name];
  }

  /** Returns a copy of the evaluation point. For averaging rules, this point differs from the parameters. */
  evaluationPoint(): Floats {
    const spec = evaluationProgram(this.rule, { precision: this.precision });
    if (!spec) return this.parameters().slice();
    const point = this.parameters().slice();
    evaluateProgram(spec, { vectors: { ...this.views(spec, ["point"]), point }, scalars: this.scalars, count: this.count });
    return point;
  }

  /** Returns a copy of all mutable state. */
  snapshot(): RuleSnapshot {
    const names = ["parameter", ...this.program.states.map((s) => s.name)];
    const bytes = (v: Floats) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength).slice();
    const scalars = Object.fromEntries(this.program.scalarStates.map(({ name }) => [name, this.scalars[name]]));
    return { t: this.updates, scalars, vectors: Object.fromEntries(names.map((name) => [name, bytes(this.vector(name))])) };
  }

  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: RuleSnapshot): void {
    this.updates = snapshot.t;
    Object.assign(this.scalars, snapshot.scalars);
    for (const [name, bytes] of Object.entries(snapshot.vectors)) {
      const view = this.vector(name);
      assert(view.byteLength === bytes.length, `the snapshot of ${name} has ${bytes.length} bytes, not ${view.byteLength}`);
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
    }
  }

  /** The runner holds the claim on its compiled program until it is disposed of or garbage collected. */
  hold(claim: Disposable): void {
    this.claim = claim;
    own(this, claim);
  }

  /** Frees the memory. */
  dispose(): void {
    this.whole.dispose();
    this.claim?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Places the operands, then the indices, and then the block, each at a multiple of 64 bytes. */
  private layOut(blockBytes: number): { pointer: () => number; end: number } {
    let end = 0;
    const place = (name: string, bytes: number): void => {
      this.offsets.set(name, end);
      end += Math.ceil(bytes / 64) * 64;
    };
    for (const { name, type } of this.program.spec.operands) place(name, this.count * (type === "f32" ? 4 : 8));
    place("indices", this.count * 4);
    place("block", blockBytes);
    return { pointer: () => this.pointer("block"), end };
  }

  private pointer(name: string): number {
    const offset = this.offsets.get(name);
    assert(offset !== undefined, `the rule ${this.rule.name} has no vector ${name}`);
    return this.whole.pointer + offset;
  }

  private views(spec: ProgramSpec, except: string[]): Record<string, Floats> {
    return Object.fromEntries(spec.operands.filter((o) => !except.includes(o.name)).map(({ name }) => [name, this.vector(name)]));
  }

  private interpreted(): Run {
    const { spec } = this.program;
    const indexed = spec.operands.some((o) => o.access === "indexed");
    return (touched, scalars) => {
      const vectors: ProgramEnvironment["vectors"] = this.views(spec, []);
      if (indexed) vectors.values = vectors.values.subarray(0, touched);
      const indices = indexed ? this.indices().slice(0, touched) : undefined;
      return evaluateProgram(spec, { vectors, scalars, count: touched, indices });
    };
  }

  private linked({ program: compiled, functions }: LinkedProgram, block: () => number): Run {
    const { call } = functions[compiled.update];
    const memory = (): DataView => new DataView(this.memory.memory.buffer, block(), compiled.blockBytes);
    for (const [name, offset] of Object.entries(compiled.pointers)) memory().setInt32(offset, this.pointer(name), true);
    memory().setInt32(compiled.indices, this.pointer("indices"), true);
    const slots = Object.entries(compiled.scalars);
    const kept = this.program.scalarStates.map(({ name }) => [name, compiled.scalars[name]] as const);
    return (touched, scalars) => {
      const words = memory();
      for (const [name, offset] of slots) words.setFloat64(offset, scalars[name] ?? 0, true);
      call(touched, block());
      const results: Record<string, number> = {};
      for (const [name, offset] of kept) results[name] = words.getFloat64(offset, true);
      return results;
    };
  }
}
