/**
 * Random misuse of the public verbs and factories: options and arguments of the wrong kind, in the wrong place and in
 * unexpected combinations. Each case is one call from its own seed. It may be accepted or refused with an ErgodicError,
 * but must never cause an error of JavaScript itself. Verbs get a signal, so that accepted runs end soon.
 */
import { type Draws, stream } from "../../src/engine/random/stream.ts";
import * as ergodic from "../../src/entries/everything.ts";
import * as factories from "../conformance/options/factories.ts";
import { junk, withOption } from "../conformance/options/values.ts";
import { fits, others, posterior, recommender, samples, searchesOf } from "../conformance/options/verbs.ts";
import { begin } from "./cost.ts";

/**
 * A class is a function, and calling it throws the user's own error. Large numbers are sizes and lengths, which other
 * tests try.
 */
const values = junk.filter(([name, value]) => name !== "a class" && !(typeof value === "number" && Math.abs(value) > 64));
const PATIENCE_MS = 40;

interface Target {
  readonly name: string;
  readonly options: readonly string[];
  readonly base: Readonly<Record<string, object>>;
  call(options: never): unknown;
}

const targets: readonly Target[] = [...Object.values(factories), fits, samples, searchesOf, others].flatMap((table) =>
  Object.entries(table).map(([name, { call, options, base = {} }]) => ({ name, options: Object.keys(options), base, call })),
);

/** Calls by the place of the tested value. */
const data = ergodic.Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
const fitted = await ergodic.fit(ergodic.linear({ loss: "squared" }), data, { epochs: 1 });
const positional: readonly (readonly [string, (...given: never[]) => unknown, number])[] = [
  ["fit", (m, d, o) => ergodic.fit(m, d, o), 3],
  ["fit.resume", (f, d, o) => ergodic.fit.resume(f, d, o), 3],
  ["fit.path", (m, d, o) => ergodic.fit.path(m, d, o), 3],
  ["sample", (m, d, o) => ergodic.sample(m, d, o), 3],
  ["calibrate", (m, d, o) => ergodic.calibrate(m, d, o), 3],
  ["minimize", (f, x, o) => ergodic.minimize(f, x, o), 3],
  ["minimize.resume", (c, f, o) => ergodic.minimize.resume(c, f, o), 3],
  ["tune", (m, o) => ergodic.tune(m, o), 2],
  ["search", (o) => ergodic.search(o), 1],
  ["predictor", (f) => ergodic.predictor(f), 1],
  ["chain", (a, b) => ergodic.chain(a, b), 2],
  ["gibbs", (b) => ergodic.gibbs(b), 1],
  ["sequential", (l) => ergodic.sequential(l), 1],
  ["network", (l, o) => ergodic.network(l, o), 2],
  ["model", (f) => ergodic.model(f), 1],
  ["predictor.predict", (row) => fitted.predict(row), 1],
  ["predictor.evaluate", (rows) => fitted.evaluate(rows), 1],
  ["recommender.predict", (pair) => recommender.predict(pair), 1],
  ["recommender.recommend", (user, o) => recommender.recommend(user, o), 2],
  ["draws.mean", (name) => posterior.mean(name), 1],
  ["draws.draws", (name) => posterior.draws(name), 1],
  ["draws.quantile", (name, p) => posterior.quantile(name, p), 2],
  ["draws.loo", (name, o) => posterior.loo(name, o), 2],
  ["draws.table", (o) => posterior.table(o), 1],
  ["coordinateTarget", (o) => ergodic.coordinateTarget(o), 1],
  ["data.split", (s, o) => data.split(s, o), 2],
  ["data.subsample", (n, o) => data.subsample(n, o), 2],
  ["data.select", (r) => data.select(r), 1],
];
/** Valid values for these places. */
const parts: readonly unknown[] = [
  data,
  ergodic.linear({ loss: "squared" }),
  ergodic.factorisation(),
  (x: Float64Array) => x[0] ** 2,
  ergodic.nuts(),
  ergodic.sgd(),
  ergodic.saga(),
  ergodic.cmaEs(),
  ergodic.coordinateDescent(),
  ergodic.alternatingLeastSquares(),
  ergodic.relu(),
  ergodic.rff({ count: 4 }),
  [1, 2],
  { epochs: 1 },
  { evaluations: 3 },
  { dimension: 1 },
];

/**
 * Makes the given number of calls. @throws Error at the first one that ends in an error of another kind, naming the
 * case's seed
 */
export async function run(cases: number, seed: number): Promise<{ cases: number; refused: number; accepted: number }> {
  let refused = 0;
  for (let i = 0; i < cases; i++) if (await tried(seed + i)) refused++;
  return { cases, refused, accepted: cases - refused };
}

/** Runs one case, which its seed repeats. Returns true if it was refused. */
async function tried(seed: number): Promise<boolean> {
  const draws = stream(seed, "fuzz", "api").at(0);
  const [said, call] = draws.uniform() < 0.75 ? byOptions(draws) : byPlace(draws);
  const end = new AbortController();
  const cost = begin();
  const timer = setTimeout(() => end.abort(new ergodic.ErgodicError("fuzz", "time is up", "FUZZ_ABORTED")), PATIENCE_MS);
  let refused = false;
  try {
    await call(end.signal);
  } catch (error) {
    if (!(error instanceof ergodic.ErgodicError))
      throw new Error(`fuzz api, seed ${seed}: ${said} ended in ${String((error as Error)?.stack ?? error)}`);
    refused = error.code !== "FUZZ_ABORTED";
  } finally {
    clearTimeout(timer);
  }
  const tooMuch = cost();
  if (tooMuch) throw new Error(`fuzz api, seed ${seed}: ${said} ${tooMuch}`);
  return refused;
}

type Call = [said: string, call: (signal: AbortSignal) => unknown];

const pick = <T>(draws: Draws, list: readonly T[]): T => list[draws.integer(list.length)];
const anything = (draws: Draws): readonly [string, unknown] =>
  draws.uniform() < 0.8 ? pick(draws, values) : ["a part", pick(draws, parts)];

/** Up to three options of a factory or verb. */
function byOptions(draws: Draws): Call {
  const { name, options, base, call } = pick(draws, targets);
  let given: object = options.length > 0 ? { ...base[pick(draws, options)] } : {};
  const said: string[] = [];
  for (let k = draws.integer(4); k > 0; k--) {
    const option = draws.uniform() < 0.9 && options.length > 0 ? pick(draws, options) : pick(draws, ["noSuch", "__proto__", ""]);
    const [what, value] = anything(draws);
    // An option that already has a scalar value has no nested options.
    if (option.includes(".") && typeof (given as Record<string, unknown>)[option.split(".")[0]] !== "object") continue;
    given = withOption(given, option, value);
    said.push(`${option}: ${what}`);
  }
  const watched = options.includes("signal") && !("signal" in given);
  return [`${name}({ ${said.join(", ")} })`, (signal) => call({ ...given, ...(watched ? { signal } : {}) } as never)];
}

function byPlace(draws: Draws): Call {
  const [name, call, most] = pick(draws, positional);
  const given = Array.from({ length: draws.integer(most + 1) }, () => anything(draws));
  const last = given.length === most && most > 1;
  return [
    `${name}(${given.map(([what]) => what).join(", ")})`,
    (signal) => {
      const all = given.map(([, value]) => value);
      const options = all.at(-1);
      const isOptions =
        last && typeof options === "object" && options !== null && Object.getPrototypeOf(options) === Object.prototype;
      return call(...((isOptions ? [...all.slice(0, -1), { ...options, signal }] : all) as never[]));
    },
  ];
}
