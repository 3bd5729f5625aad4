/**
 * Tests whether the rows of a batch are independent of each other in a foreign model.
 *
 * A row's answer must not depend on the other rows. In batches of the same size, some rows are kept and all others are
 * replaced. The bits of a row's position determine in which batches the row is kept. Of any two rows, each is therefore
 * kept at least once while the other is replaced. The answer must also be the same if the row is alone, in batches of
 * other sizes, and at other positions. "The same" means up to rounding, because the order of additions in a kernel can
 * depend on the number of rows and on memory addresses.
 *
 * A model that mixes rows only for particular values, or at particular batch sizes, can pass.
 */
import type { OnnxPredictor, OnnxTensor } from "../onnx/index.ts";
import { type Batch, drawn, type Kind, kinds, mixed, nudged, type ProbeInput, picked, sizeOf, tensorsOf } from "./probe-rows.ts";
import { differences, shapeFault } from "./row-answers.ts";

/** Batch sizes that are tested, in addition to the largest size. */
const SIZES = [2, 3, 4, 7, 16, 61];
/** Largest of these sizes that is tested with rows of all kinds. (The largest batch is also tested with all kinds.) */
const LARGEST_SMALL = 3;
/** Largest allowed difference between two answers to a row, relative to the largest number of the row in the output. */
const TOLERANCE = 1e-5;
/**
 * In each of TRIALS trials, the row's own numbers are changed by rounding errors. A larger difference also counts as
 * rounding if it is at most SLACK times the largest change of the answer in these trials.
 */
const [SLACK, TRIALS] = [4, 6];
/** Largest total number of input and output values of a batch, which is 16 MB of float32. */
const MOST_NUMBERS = 2 ** 22;

export interface CheckLimits {
  /** Number of rows of the largest batch, at least 2. */
  readonly maxRows: number;
  /** Time for the whole check in milliseconds. The check ends early if it would take longer than this. */
  readonly budgetMs: number;
  /** Milliseconds after which a run is abandoned and its process is killed. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

type Answer = readonly OnnxTensor[];
type RowOf<T> = readonly [T, number];

/** A finding that ends the check. Its message follows the words "requests are not joined: ". */
class Finding extends Error {}

/** Returns the reason why the model's requests must not be joined. Returns undefined if no reason was found. */
export async function rowFault(
  predictor: Pick<OnnxPredictor, "run" | "outputs">,
  inputs: readonly ProbeInput[],
  limits: CheckLimits,
): Promise<string | undefined> {
  try {
    await new RowCheck(predictor, inputs, limits).run();
    return undefined;
  } catch (error) {
    if (error instanceof Finding) return error.message;
    return `the check of its rows could not be completed (${(error as Error).message})`;
  }
}

/** Whether the model can compute a row with these shapes. */
export function takesRow(predictor: Pick<OnnxPredictor, "run">, inputs: readonly ProbeInput[]): Promise<boolean> {
  if (numbersIn(inputs) > MOST_NUMBERS) return Promise.resolve(false);
  return predictor.run(tensorsOf(drawn(mixed, 1, inputs, 0), inputs)).then(
    () => true,
    () => false,
  );
}

class RowCheck {
  readonly #predictor: Pick<OnnxPredictor, "run" | "outputs">;
  readonly #inputs: readonly ProbeInput[];
  readonly #limits: CheckLimits;
  readonly #began: number;
  readonly #names: readonly string[];
  /** Shortest time of a run in milliseconds, by its number of rows. */
  readonly #times = new Map<number, number>();
  /** Answer to a single row. */
  #like: Answer | undefined;
  #seed = 0;

  constructor(predictor: Pick<OnnxPredictor, "run" | "outputs">, inputs: readonly ProbeInput[], limits: CheckLimits) {
    this.#predictor = predictor;
    this.#inputs = inputs;
    this.#limits = limits;
    this.#began = limits.now();
    this.#names = predictor.outputs.map(({ name }) => name);
  }

  /**
   * Tests batches from the smallest to the largest. In this order, models that mix rows are detected at little cost,
   * and slow models are detected early.
   */
  async run(): Promise<void> {
    const { maxRows } = this.#limits;
    const sizes = [...SIZES.filter((size) => size < maxRows), maxRows];
    const all = sizes.filter((size) => size <= LARGEST_SMALL || size === maxRows);
    const bits = (size: number, { odd }: Kind): number => (size <= LARGEST_SMALL ? bitsOf(size) : odd ? 1 : 0);
    await this.#steady();
    for (const size of sizes) await this.#try(mixed, size, bitsOf(size));
    const left = kinds.flatMap((kind) => all.map((size) => [kind, size, bits(size, kind)] as const));
    this.#refuseSlow(left.reduce((ms, [, size, count]) => ms + this.#msOf(size, count), 0));
    for (const one of left) await this.#try(...one);
  }

  /** Checks that the same row gets the same answer each time. */
  async #steady(): Promise<void> {
    const numbers = numbersIn(this.#inputs);
    this.#refuseLarge(numbers);
    const rows = drawn(mixed, 1, this.#inputs, this.#seed++);
    this.#like = await this.#answer(rows);
    this.#refuseLarge(this.#like.reduce((sum, { data }) => sum + data.length, numbers));
    await this.#compare([this.#like, 0], [await this.#answer(rows), 0], [rows, 0], "it gives different answers to the same row");
  }

  /** `numbers`: number of values in a row. */
  #refuseLarge(numbers: number): void {
    const { maxRows } = this.#limits;
    if (maxRows * numbers > MOST_NUMBERS)
      throw new Finding(`a batch of ${maxRows} rows has ${maxRows * numbers} numbers, more than are checked (${MOST_NUMBERS})`);
  }

  /** Tests rows of one kind in a batch of this size. `bits`: number of position bits that select the kept rows. */
  async #try(kind: Kind, size: number, bits: number): Promise<void> {
    const rows = drawn(kind, size, this.#inputs, this.#seed++);
    const others = drawn(mixed, size, this.#inputs, this.#seed++);
    const answer = await this.#answer(rows);
    const compare = (i: number, other: Answer, j: number, what: string): Promise<void> =>
      this.#compare([answer, i], [other, j], [rows, i], `${what} (${kind.name}, a batch of ${size})`);
    for (let bit = 0; bit < bits; bit++)
      for (const value of [0, 1]) {
        const isKept = (i: number): boolean => ((i >> bit) & 1) === value;
        const some = await this.#answer(picked(places(size).map((i) => [isKept(i) ? rows : others, i])));
        for (const i of places(size).filter(isKept)) await compare(i, some, i, "a row's answer changed with the other rows");
      }
    if (kind.odd) return;
    const turned = await this.#answer(picked(places(size).map((i) => [rows, size - 1 - i])));
    for (const i of places(size)) await compare(i, turned, size - 1 - i, "a row's answer changed with its position in the batch");
    for (const i of alone(size)) {
      const one = await this.#answer(picked([[rows, i]]));
      await compare(i, one, 0, "a row's answer differed from its answer alone");
    }
  }

  /** `row`: the row of both answers. @throws Finding with `what`, if they differ by more than rounding explains */
  async #compare(a: RowOf<Answer>, b: RowOf<Answer>, row: RowOf<Batch>, what: string): Promise<void> {
    const excess = differences(...a, ...b).map(({ largest, scale }) => (largest <= TOLERANCE * scale ? 0 : largest));
    if (excess.every((difference) => difference === 0)) return;
    const explained = await this.#sensitivity(...row);
    if (!excess.every((difference, k) => difference <= SLACK * explained[k])) throw new Finding(what);
  }

  /**
   * For each output, returns by how much the answer to a single row changes when the row's numbers change by rounding
   * errors. Kernels that add in a different order can cause differences of the same size.
   *
   * @throws Finding if the answer also changes by about as much when the row stays the same, as random answers do
   */
  async #sensitivity(batch: Batch, row: number): Promise<number[]> {
    const one = picked([[batch, row]]);
    const answer = await this.#answer(one);
    const most = async (again: () => Batch): Promise<number[]> => {
      const largest = answer.map(() => 0);
      for (let trial = 0; trial < TRIALS; trial++)
        for (const [k, found] of differences(answer, 0, await this.#answer(again()), 0).entries())
          largest[k] = Math.max(largest[k], found.largest);
      return largest;
    };
    const nudges = await most(() => nudged(batch, row, this.#inputs, this.#seed++));
    const repeats = await most(() => one);
    if (repeats.some((change, k) => change > 0 && SLACK * change >= nudges[k]))
      throw new Finding("it gives different answers to the same row");
    return nudges;
  }

  async #answer(rows: Batch): Promise<Answer> {
    const { now, timeoutMs } = this.#limits;
    const [largest = 0, ms = 0] = [...this.#times].at(-1) ?? [];
    // A run is not started if it might exceed its time limit, because its process would be killed in that case.
    const wanted = largest > 0 ? (ms * rows.rows) / Math.min(largest, rows.rows) : 0;
    this.#refuseSlow(wanted);
    if (wanted > timeoutMs / 2)
      throw new Finding(`a batch of ${rows.rows} rows would take about ${inSeconds(wanted)}, too long for timeoutMs`);
    const began = now();
    const found = await this.#predictor.run(tensorsOf(rows, this.#inputs)).catch((error: Error) => {
      throw new Finding(`it refused rows of the check (${error.message})`);
    });
    const took = now() - began;
    this.#times.set(rows.rows, Math.min(took, this.#times.get(rows.rows) ?? Infinity));
    const answer = this.#names.map((name) => found[name]);
    const fault = shapeFault(this.#names, answer, rows.rows, this.#like ?? answer);
    if (fault !== undefined) throw new Finding(fault);
    return answer;
  }

  /** Estimated time of #try. */
  #msOf(size: number, bits: number): number {
    const times = this.#times;
    return (2 + 2 * bits) * times.get(size)! + alone(size).length * times.get(1)!;
  }

  /** Checks that at least `ms` milliseconds of the budget remain. @throws Finding if it does not */
  #refuseSlow(ms: number): void {
    const { budgetMs, now } = this.#limits;
    if (now() - this.#began + ms > budgetMs) throw new Finding(`a check of its rows would take more than ${inSeconds(budgetMs)}`);
  }
}

/** Number of values in one row. */
const numbersIn = (inputs: readonly ProbeInput[]): number => inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

const places = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

/** Number of bits that distinguish all positions. */
const bitsOf = (size: number): number => 32 - Math.clz32(size - 1);

/** Rows that are also computed alone. */
const alone = (size: number): number[] => [...new Set([0, 1, size >> 1, size - 2, size - 1])];

/** Seconds, for a sentence. */
const inSeconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))} s`;
