/**
 * Damaged model files: each is refused with a typed error, or loads and predicts numbers.
 *
 * Plans of networks are left unchanged here, because they have their own mutations (`npm run fuzz -- plans`).
 */

import type { Row, Table } from "../../src/engine/data/table.ts";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import {
  Dataset,
  dense,
  factorisation,
  fit,
  flatten,
  linear,
  network,
  Ratings,
  relu,
  rff,
} from "../../src/entries/everything.ts";
import { type AnyPredictor, type FactorPredictor, predictor } from "../../src/entries/predict.ts";
import { calibrated, conformal } from "../../src/predict/calibration/index.ts";
import { begin } from "./cost.ts";
import { mutated, random } from "./mutations.ts";

export interface Fuzzed {
  cases: number;
  refused: number;
  accepted: number;
}

interface Fixture {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Rows or pairs. */
  readonly rows: readonly Row[];
}

/**
 * @throws an Error with the case's seed at the first case that ends in an untyped error, predicts no number or does not
 * end
 */
export async function run(cases: number, seed: number): Promise<Fuzzed> {
  const fixtures = await made();
  const found = { cases, refused: 0, accepted: 0 };
  for (let k = 0; k < cases; k++) {
    const own = (seed + k) >>> 0;
    const draws = random(own);
    const { name, bytes, rows } = draws.pick(fixtures);
    const mutation = mutated(bytes, draws, { skipped: ["program"] });
    const cost = begin();
    try {
      const loaded = await predictor<AnyPredictor>(mutation.bytes);
      try {
        predictAll(loaded, rows);
      } finally {
        if (loaded.kind === "network") loaded.dispose();
      }
      found.accepted++;
    } catch (error) {
      if (!(error instanceof ErgodicError) || error.message.includes("please report"))
        throw new Error(`models: case ${own} (${name}, ${mutation.how}) ended in ${String(error)}`, { cause: error });
      found.refused++;
    }
    const tooMuch = cost();
    if (tooMuch) throw new Error(`models: case ${own} (${name}, ${mutation.how}) ${tooMuch}`);
  }
  return found;
}

function predictAll(model: AnyPredictor, rows: readonly Row[]): void {
  if (model.kind === "factorisation") {
    for (const { user, item } of rows as unknown as { user: string; item: string }[]) {
      check(model.predict({ user, item }).value);
      for (const { score } of model.recommend(user)) check(score);
      for (const { similarity } of model.similar(item)) check(similarity);
    }
    model.recommendFor([{ item: "a", value: 2 }]);
    return;
  }
  for (const { value, probabilities, set, interval } of model.predict(rows)) {
    if (set && !set.every((name) => model.classes!.includes(name))) throw new Error(`a set holds ${set.join(", ")}`);
    if (interval && !(interval[0] <= interval[1])) throw new Error(`an interval is from ${interval.join(" to ")}`);
    if (typeof value === "number") check(value);
    else if (typeof value !== "string") throw new Error(`a class is ${String(value)}`);
    if (!probabilities) continue;
    const all = Object.values(probabilities);
    if (!all.every((p) => p >= 0 && p <= 1 + 1e-9) || !(value in probabilities))
      throw new Error(`probabilities are ${all.join(", ")}`);
  }
}

function check(value: number): void {
  if (typeof value !== "number" || Number.isNaN(value)) throw new Error(`a prediction is ${String(value)}`);
}

let fixtures: Promise<Fixture[]> | undefined;
const made = (): Promise<Fixture[]> => (fixtures ??= make());

const people: Table = {
  source: "people.csv",
  rowCount: 6,
  columns: [
    { name: "age", kind: "number", values: Float64Array.of(20, 30, Number.NaN, 50, 35, 41) },
    { name: "city", kind: "category", levels: ["Oslo", "Rome", "Bern"], codes: Int32Array.of(0, 1, 2, 0, -1, 1) },
    { name: "pay", kind: "number", values: Float64Array.of(1, 2, 2.5, 4, 3, 3.5) },
    { name: "band", kind: "category", levels: ["low", "mid", "high"], codes: Int32Array.of(0, 1, 2, 0, 1, 2) },
    { name: "member", kind: "category", levels: ["no", "yes"], codes: Int32Array.of(0, 1, 1, 0, 1, 0) },
  ],
};
const row: Row = { age: 33, city: "Rome", pay: 2, band: "mid", member: "no" };

async function make(): Promise<Fixture[]> {
  const of = async (name: string, target: string, options: object, model = linear()): Promise<Fixture> => {
    using data = Dataset.fromTable(people, { target, impute: "mean", ...options });
    return {
      name,
      bytes: (await fit(model, data, { epochs: 2 })).toBytes(),
      rows: [row, { age: 1, city: "Oslo", pay: 9, band: "low", member: "yes" }],
    };
  };
  const x = Array.from({ length: 12 }, (_, i) => [i / 3, (i * i) % 5, 1 - i]);
  using numbers = Dataset.fromArrays({ x, y: x.map(([a, b]) => a - b), names: ["a", "b", "c"] });
  using classes = Dataset.fromArrays({ x, y: x.map(([, b]) => String(b % 3)), names: ["a", "b", "c"] });
  using images = Dataset.fromArrays({ x: x.map((r) => [...r, r[0]]), y: x.map(([, b]) => String(b % 2)), rowShape: [2, 2] });
  const net = await fit(network([flatten(), dense(4), relu(), dense(1)], { loss: "logistic" }), images, { epochs: 1, batch: 4 });
  const wide = Array.from({ length: 3 }, (_, i) => Array.from({ length: 4200 }, (_, j) => (i * j) % 7));
  using many = Dataset.fromArrays({ x: wide, y: [1, 2, 3], names: wide[0].map((_, j) => `column ${j}`) });
  const shared = { rows: [{ a: 1, b: 2, c: 3 }] };
  const triples = { users: ["u", "u", "v", "w"], items: ["a", "b", "a", "c"], values: [3, 4, 2, 5] };
  using ratings = Ratings.fromTriples(triples);
  const pairs = [
    { user: "u", item: "a" },
    { user: "nobody", item: "c" },
  ];
  const rated = async (name: string, options: object): Promise<Fixture> => {
    const model: FactorPredictor = await fit(factorisation({ rank: 2, ...options }), ratings, { epochs: 2 });
    return { name, bytes: model.toBytes(), rows: pairs };
  };
  return [
    await of("binary", "member", {}),
    await of("one against the rest", "band", {}, linear({ loss: "hinge" })),
    await of("hashed", "pay", { hash: 5, impute: undefined }),
    await of("sparse", "pay", { format: "sparse" }, linear({ standardise: true })),
    { name: "numbers", bytes: (await fit(linear({ standardise: true }), numbers, { epochs: 2 })).toBytes(), ...shared },
    { name: "counts", bytes: (await fit(linear({ loss: "poisson" }), numbersOf(x), { epochs: 1 })).toBytes(), ...shared },
    {
      name: "features",
      bytes: (await fit(linear({ features: rff({ count: 8 }) }), classes, { epochs: 2 })).toBytes(),
      ...shared,
    },
    { name: "network", bytes: net.toBytes(), rows: [{ x0: 1, x1: 2, x2: 3, x3: 4 }] },
    ...(await calibratedOnes(classes, numbersOf(x))).map((bytes, k) => ({ name: `calibrated ${k}`, bytes, ...shared })),
    {
      name: "many columns",
      bytes: (await fit(linear(), many, { epochs: 1 })).toBytes(),
      rows: [Object.fromEntries(many.names.map((n, j) => [n, j % 3]))],
    },
    await rated("ratings", {}),
    await rated("preferences", { implicit: { alpha: 2 } }),
  ];
}

const numbersOf = (x: number[][]): Dataset => Dataset.fromArrays({ x, y: x.map(([, b]) => b), names: ["a", "b", "c"] });

/** Calibrations by temperature and by curves, with sets and with intervals. */
async function calibratedOnes(classes: Dataset, numbers: Dataset): Promise<Uint8Array[]> {
  const model = await fit(linear(), classes, { epochs: 2 });
  const bent = await calibrated(model, classes, { method: "isotonic" });
  const made = [
    await calibrated(model, classes),
    bent,
    await conformal(bent, classes, { score: "aps" }),
    await conformal(await fit(linear({ loss: "poisson" }), numbers, { epochs: 1 }), numbers),
  ];
  return made.map((one) => one.toBytes());
}
