import {
  evaluateProgram,
  type LinkedProgram,
  linkProgram,
  type ProgramEnvironment,
  type ProgramSpec,
} from "../compiler/index.ts";
import { assert } from "../errors/errors.ts";
import { type Engine, openEngine } from "../memory/engine.ts";
import { type Allocation, type EngineMemory, engineMemory, own } from "../memory/memory.ts";
import type { Holder } from "../memory/modules.ts";
import type { EquationRule } from "./kinds.ts";
import { evaluationProgram, type RuleProgram, type RuleProgramOptions, ruleProgram } from "./rule-program.ts";

export interface RunnerOptions extends Omit<RuleProgramOptions, "gradientType" | "parameterType" | "precision"> {
  count: number;
  /** Starting point; zeros if absent. */
  start?: ArrayLike<number>;
  precision?: "f32" | "f64";
  /** Default: precision. */
  gradientType?: "f32" | "f64";
  /** Run over the interpreter. */
  interpret?: boolean;
}

/** All that a run carries, bit for bit. */
export interface RuleSnapshot {
  /** Updates made. */
  t: number;
  /** Scalar states by name. */
  scalars: Record<string, number>;
  /** Vector states by name, in bytes. */
  vectors: Record<string, Uint8Array>;
}

export interface StepInputs {
  epochUpdates?: number;
  /** Multiplies the gradient. */
  scale?: number;
  l1?: number;
  l2?: number;
  /** How many coordinates, from the first on, take part; indexed: how many of `indices()` and `gradient()` hold this step's. */
  touched?: number;
}

type Floats = Float32Array | Float64Array;
type Run = (count: number, scalars: Record<string, number>) => Record<string, number>;

/**
 * A rule at work on a vector of parameters in engine memory: parameters, states, gradient, indices and the program's block, owned here.
 *
 * Fill `gradient()` (and `indices()` for an indexed runner), then `step(loss)`: p ← p − step, states advanced, t + 1. Two ways to run the
 * same program: compiled, or over the compiler's interpreter, the oracle. The kernels of the loop use the same program in their own
 * layout; this class serves full-vector steps, tests and benchmarks.
 *
 * Views that methods return are on the memory's current buffer: not kept across an allocation.
 */
export class RuleRunner implements Disposable, Holder {
  /** The rule. */
  readonly rule: EquationRule;
  /** Parameters. */
  readonly count: number;
  /** Type of the parameters and states. */
  readonly precision: "f32" | "f64";
  /** The rule's program. */
  readonly program: RuleProgram;
  private readonly memory: EngineMemory;
  private readonly whole: Allocation;
  private claim: Disposable | undefined;
  private readonly offsets = new Map<string, number>();
  private readonly gradientType: "f32" | "f64";
  private readonly scalars: Record<string, number> = {};
  private readonly run: Run;
  private updates = 0;

  /** Compiles the rule's program and links it to the engine; or takes the interpreter, if asked. */
  static async open(rule: EquationRule, options: RunnerOptions): Promise<RuleRunner> {
    return new RuleRunner(rule, options, options.interpret ? null : await openEngine());
  }

  constructor(rule: EquationRule, options: RunnerOptions, engine: Engine | null) {
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

  /** Updates done. */
  get t(): number {
    return this.updates;
  }

  /** Bytes of vector states. */
  get stateBytes(): number {
    return this.program.states.reduce((bytes, { name }) => bytes + this.vector(name).byteLength, 0);
  }

  /** Where the gradient is written: a view. */
  gradient(): Floats {
    return this.vector("values");
  }

  /** The parameters: a view. */
  parameters(): Floats {
    return this.vector("parameter");
  }

  /** Where the indices of an indexed runner are written: a view. */
  indices(): Int32Array {
    return this.memory.i32(this.pointer("indices"), this.count);
  }

  /** A vector by its operand name: a state, share or base. */
  vector(name: string): Floats {
    const type = name === "values" ? this.gradientType : this.precision;
    return type === "f32" ? this.memory.f32(this.pointer(name), this.count) : this.memory.f64(this.pointer(name), this.count);
  }

  /** The values of scalar states and options. */
  scalar(name: string): number {
    assert(name in this.scalars, `the rule ${this.rule.name} has no scalar ${name}`);
    return this.scalars[name];
  }

  /** One update. `loss`: that of the batch at the parameters. */
  step(loss: number, { epochUpdates = 1, scale = 1, l1 = 0, l2 = 0, touched = this.count }: StepInputs = {}): void {
    this.updates++;
    const results = this.run(touched, { ...this.scalars, t: this.updates, loss, epochUpdates, scale, l1, l2 });
    for (const { name } of this.program.scalarStates) this.scalars[name] = results[name];
  }

  /** A copy of the point to evaluate: for averaging rules not the parameters. */
  evaluationPoint(): Floats {
    const spec = evaluationProgram(this.rule, { precision: this.precision });
    if (!spec) return this.parameters().slice();
    const point = this.parameters().slice();
    evaluateProgram(spec, { vectors: { ...this.views(spec, ["point"]), point }, scalars: this.scalars, count: this.count });
    return point;
  }

  /** A copy of all that changes. */
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

  /** Its compiled program, until it is disposed or collected. */
  hold(claim: Disposable): void {
    this.claim = claim;
    own(this, claim);
  }

  /** Gives memory back. */
  dispose(): void {
    this.whole.dispose();
    this.claim?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Places every operand, then the indices, then the block, each on a multiple of 64 bytes. */
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
