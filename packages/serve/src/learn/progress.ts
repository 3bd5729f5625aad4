import type { LearntSums } from "./run.ts";
import type { Progressive } from "./types.ts";

/** Number of rows after which a row's weight in the recent metrics has halved. */
const HALF_LIFE = 1000;

/** Sums over rows, each of which was evaluated before its update. */
interface Sums {
  rows: number;
  weight: number;
  loss: number;
  right: number;
  squares: number;
  absolute: number;
}

const none = (): Sums => ({ rows: 0, weight: 0, loss: 0, right: 0, squares: 0, absolute: 0 });

/** Progressive validation: metrics of the predictions that were made before the rows were learnt. */
export class Progress {
  #isClass = true;
  #all = none();
  #recent = none();

  add(learnt: LearntSums): void {
    this.#isClass = learnt.right !== undefined;
    const factor = 2 ** (-learnt.rows / HALF_LIFE);
    for (const name of Object.keys(this.#recent) as (keyof Sums)[]) this.#recent[name] *= factor;
    for (const sums of [this.#all, this.#recent]) addTo(sums, learnt);
  }

  all(): Progressive {
    return shown(this.#all, this.#isClass);
  }

  recent(): Progressive {
    return shown(this.#recent, this.#isClass);
  }

  toJSON(): ProgressJson {
    return { isClass: this.#isClass, all: { ...this.#all }, recent: { ...this.#recent } };
  }

  restore({ isClass, all, recent }: ProgressJson): void {
    this.#isClass = isClass;
    this.#all = { ...none(), ...all };
    this.#recent = { ...none(), ...recent };
  }
}

export interface ProgressJson {
  isClass: boolean;
  all: Sums;
  recent: Sums;
}

function addTo(sums: Sums, { rows, weight, loss, right = 0, squares = 0, absolute = 0 }: LearntSums): void {
  sums.rows += rows;
  sums.weight += weight;
  sums.loss += loss * weight;
  sums.right += right;
  sums.squares += squares;
  sums.absolute += absolute;
}

function shown(sums: Sums, isClass: boolean): Progressive {
  const { rows, weight, loss } = sums;
  return { rows, weight, loss: loss / weight, metrics: metricsOf(sums, isClass) };
}

/** Returns metrics by name, from sums. */
export function metricsOf(
  { weight, right = 0, squares = 0, absolute = 0 }: Pick<LearntSums, "weight" | "right" | "squares" | "absolute">,
  isClass: boolean,
): Record<string, number> {
  return isClass ? { accuracy: right / weight } : { rmse: Math.sqrt(squares / weight), mae: absolute / weight };
}
