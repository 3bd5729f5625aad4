import type { Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import type { InferenceTask, PartAnswer, PartInference } from "./algorithm.ts";
import { absorb, sizeOf, type Table } from "./factor-table.ts";
import type { Component } from "./reduction.ts";

/**
 * Largest number of joint states of a part that is enumerated directly. Graphs with very many small parts are common,
 * and enumeration makes each part cheap.
 */
const MOST_STATES = 64;

export const isSmall = ({ cardinalities }: Component): boolean =>
  cardinalities.length <= 6 && sizeOf(cardinalities) <= MOST_STATES;

/** A small part. The tables of the part are multiplied into one table of all joint states. Exact. */
export class SmallPart implements PartInference {
  ended = false;
  private readonly part: Component;
  private readonly task: InferenceTask;

  constructor(part: Component, task: InferenceTask) {
    this.part = part;
    this.task = task;
  }

  advance(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  answer(): PartAnswer | undefined {
    return this.ended ? smallAnswer(this.part, this.task) : undefined;
  }

  report(): Record<string, number> {
    return { states: this.ended ? sizeOf(this.part.cardinalities) : 0 };
  }

  snapshot(): Snapshot {
    return { tensors: {}, state: { ended: this.ended } };
  }

  restore(snapshot: Snapshot): void {
    this.ended = new KeptPart("a small part", snapshot).flag("ended");
  }

  dispose(): void {}
}

/** Returns the exact answer about a small part. */
export function smallAnswer({ cardinalities, tables }: Component, task: InferenceTask): PartAnswer {
  const scope = cardinalities.map((_, variable) => variable);
  const ones: Table = {
    ...{ scope, shape: cardinalities, values: new Float64Array(sizeOf(cardinalities)).fill(1) },
    ...{ logs: false, scale: 0, range: 0 },
  };
  const { values, logs, scale } = tables.reduce(absorb, ones);
  const method = "elimination: all joint states at once";
  const p = logs ? values.map((value) => exp(value)) : values;
  const total = p.reduce((sum, value) => sum + value, 0);
  if (task === "map") {
    const value = total === 0 ? -Infinity : scale;
    return { method, map: { states: statesAt(cardinalities, values.indexOf(logs ? 0 : 1)), value, bound: value } };
  }
  const certificate = { exact: true } as const;
  const logZ = { value: total === 0 ? -Infinity : scale + log(total), certificate };
  if (task === "partition") return { method, logZ };
  const marginals = cardinalities.map((count) => ({ p: new Float64Array(count), certificate }));
  p.forEach((value, place) => {
    statesAt(cardinalities, place).forEach((state, variable) => {
      marginals[variable].p[state] += value / total;
    });
  });
  return { method, logZ, marginals };
}

function statesAt(cardinalities: readonly number[], place: number): Int32Array {
  const states = new Int32Array(cardinalities.length);
  for (let variable = cardinalities.length - 1; variable >= 0; variable--) {
    states[variable] = place % cardinalities[variable];
    place = Math.floor(place / cardinalities[variable]);
  }
  return states;
}
