import { isObject, KeptPart } from "../../base/kept-part.ts";
import type { Advance, FactorTables, Json, Progression, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "./algorithm.ts";
import { type Reduction, reduce } from "./reduction.ts";

/** A part's place in the graph, and what was found about it. */
export interface FoundPart {
  /** By the part's variable, the graph's. */
  readonly variables: readonly number[];
  /** By the part's variable, the states that it has, as the graph numbers them. */
  readonly states: readonly (readonly number[])[];
  /** Undefined while there is none. */
  readonly answer: PartAnswer | undefined;
}

/**
 * Inference on a graph, as the loop sees it: the graph is reduced, and its connected parts are worked on in turn, those that end by themselves and those
 * that only get better alike. A step is a stretch of one part.
 */
export class Inference implements Progression {
  readonly stepsPerEpoch = Number.MAX_SAFE_INTEGER;
  readonly updatesPerStep = 1;
  step = 0;
  readonly reduction: Reduction;
  private readonly parts: PartInference[];
  private next = 0;

  constructor(graph: FactorTables, algorithm: InferenceAlgorithm, plan: InferencePlan, engine: Engine) {
    this.reduction = reduce(graph);
    this.parts = this.reduction.components.map((part) => algorithm.start(part, plan, engine));
  }

  get updates(): number {
    return this.step;
  }

  get converged(): boolean {
    return this.parts.every(({ ended }) => ended);
  }

  /** What has been found about each part. */
  found(): FoundPart[] {
    return this.reduction.components.map(({ variables, states }, i) => ({ variables, states, answer: this.parts[i].answer() }));
  }

  async advance(steps: number): Promise<Advance> {
    const before = this.step;
    for (let i = 0; i < steps && !this.converged; i++) {
      while (this.parts[this.next].ended) this.next = (this.next + 1) % this.parts.length;
      await this.parts[this.next].advance();
      this.step++;
      this.next = (this.next + 1) % this.parts.length;
    }
    return { updates: this.step - before, lossSum: 0, rows: 0 };
  }

  parameters(): Float64Array {
    return new Float64Array(0);
  }

  report(): Record<string, number> {
    const ended = this.parts.filter((part) => part.ended).length;
    const sums: Record<string, number> = { parts: this.parts.length, ended };
    for (const part of this.parts)
      for (const [name, value] of Object.entries(part.report())) sums[name] = (sums[name] ?? 0) + value;
    return sums;
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    const parts: Json[] = this.parts.map((part, i) => {
      const { state, tensors: own } = part.snapshot();
      for (const [name, tensor] of Object.entries(own)) tensors[`${i}.${name}`] = tensor;
      return state;
    });
    return { tensors, state: { step: this.step, next: this.next, parts } };
  }

  restore({ tensors, state }: Snapshot): void {
    const kept = new KeptPart("inference", { tensors, state });
    this.step = kept.count("step");
    this.next = kept.count("next", 0, Math.max(0, this.parts.length - 1));
    kept.list("parts", isObject, this.parts.length).forEach((own, i) => {
      this.parts[i].restore(kept.part("a part", `${i}.`, own).snapshot);
    });
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}
