/**
 * Text of an async function body with the parameters `lib`, `worker` and `module` (the address of moduleText). It makes
 * each verb's call locally and through `ergodic/worker`, and returns both results. Node and browsers run the same text.
 */
export const verbs = `
const { adam, dense, Dataset, factorisation, fit, halfNormal, linear, minimize, model, network, normal, Ratings, relu, sample, tune, vector } = lib;
const there = worker({ module });
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const ofNumbers = (values) => hex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
const found = {};
// Names of results that a run refuses, since it is to be awaited.
const refused = (run) => Object.getOwnPropertyNames(run).filter((name) => {
  try {
    return void run[name];
  } catch (error) {
    return error.code === "RUN_UNAWAITED" && error.message.includes('"' + name + '"');
  }
});
const unawaited = {};
const both = async (name, make, say) => {
  const runHere = make(lib), runThere = make(there);
  const names = refused(runHere), namesThere = refused(runThere);
  unawaited[name] = { count: names.length, missing: names.filter((one) => !namesThere.includes(one)) };
  const here = await runHere, other = await runThere;
  found[name] = [say(here), say(other)];
  return other;
};
const x = Array.from({ length: 120 }, (_, i) => [Math.fround(Math.sin(i)), Math.fround(Math.cos(1.3 * i)), i % 7]);
const y = x.map(([a, b, c]) => 2 * a - b + 0.1 * c);
const data = Dataset.fromArrays({ x, y, weights: y.map((_, i) => 1 + (i % 3)) });
const sparse = Dataset.fromSparse({ source: "sparse", rowCount: 3, columnCount: 4, rowStart: Uint32Array.of(0, 2, 3, 4), columnIndex: Uint32Array.of(0, 3, 1, 2), values: Float64Array.of(1, 2, 3, 4), target: Float64Array.of(1, 2, 3) });
const plan = { epochs: 4, seed: 3, deterministic: true };
const bytes = (made) => hex(made.toBytes());
await both("linear", (v) => v.fit(linear({ l2: 0.01 }), data, plan), bytes);
await both("a rule on the whole objective", (v) => v.fit(linear({ l2: 0.01 }), data, { rule: lib.lbfgs(), batch: "all", epochs: 20, deterministic: true }), bytes);
await both("quantised and validated", (v) => v.fit(linear(), data.as("i8"), { ...plan, validate: data.as("i8"), patience: 2 }), (m) => bytes(m) + JSON.stringify(m.run.ticks.map((tick) => tick.validation)));
await both("sparse", (v) => v.fit(linear(), sparse, plan), bytes);
await both("network", (v) => v.fit(network([dense(5), relu(), dense(1)]), data, { ...plan, rule: adam({ rate: 0.02 }) }), bytes);
const predicted = await there.fit(network([dense(5), relu(), dense(1)]), data, plan);
found["predictions"] = [ofNumbers((await fit(network([dense(5), relu(), dense(1)]), data, plan)).outputs(data)), ofNumbers(predicted.outputs(data))];
const ratings = Ratings.fromTriples({ users: ["b", "a", "b", "c"], items: ["z", "z", "y", "x"], values: [1, 2, 3, 4] });
await both("ratings", (v) => v.fit(factorisation({ rank: 2 }), ratings, { seed: 1, deterministic: true }), bytes);
const path = await both("path", (v) => v.fit.path(linear(), data, { lambdas: 8, folds: 3, deterministic: true }), (p) => [bytes(p.predictor()), ofNumbers(p.lambdas), ofNumbers(p.weights(2)), p.crossValidation.minimum].join());

const half = there.fit(linear({ l2: 0.01 }), data, { ...plan, epochs: 1e6 });
for await (const tick of half) if (tick.update > 500) break;
const kept = await half.checkpoint();
half.stop();
await half;
await both("resumed", (v) => v.fit.resume(kept, data, { until: { updates: 1e5 } }), (m) => bytes(m) + m.run.updates);

const trained = await fit(linear({ l2: 0.01 }), data, plan);
await both("from a trained model", (v) => v.fit(linear({ l2: 0.01 }), data.select([3, 5, 8, 1]), { ...plan, from: trained }), bytes);
await both("from a checkpoint", (v) => v.fit(linear({ l2: 0.01 }), data.select([3, 5, 8, 1]), { ...plan, from: kept, optimiser: "kept" }), bytes);

const schools = model(({ data, param, observe, generated }) => {
  const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
  const mu = param("mu", normal(0, 5));
  const tau = param("tau", halfNormal(5));
  const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
  observe(y, normal(theta, sigma));
  generated("next", normal(theta, sigma));
}, { name: "schools" });
const given = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
const drawn = (p) => [...p.quantities.map(({ name }) => ofNumbers(p.draws(name))), ofNumbers(p.transition("energy")), JSON.stringify(p.loo()), ofNumbers(p.predict().draws("y")), JSON.stringify({ ...p.description, run: 0 }), p.verdict().text].join();
const drawing = { chains: 2, warmup: 30, draws: 10, seed: 5, deterministic: true, start: { mu: 1, tau: 2, theta: given.y } };
const posterior = there.sample(schools, given, drawing);
const early = posterior.checkpoint();
let ticks = 0;
for await (const tick of posterior) ticks++;
found["sampled"] = [drawn(await sample(schools, given, drawing)), drawn(await posterior)];
const resumed = await early;
await both("sampling resumed", (v) => v.sample.resume(resumed, schools, given, { draws: 14 }), drawn);
const level = model({ x: vector("N"), y: vector("N") }, ({ x, y, param, observe }) => {
  const beta = param("beta", normal(0, 1));
  observe(y, normal(x.mul(beta), 1));
  return { beta };
});
const ofNew = async (v) => (await (await v.sample(level, { x: [1, 2, 3], y: [1, 2, 4] }, { chains: 2, warmup: 20, draws: 20, seed: 3, deterministic: true })).predictor()).predict({ x: 2.5 }).y;
found["new rows"] = [JSON.stringify(await ofNew(lib)), JSON.stringify(await ofNew(there))];
const scaled = (v) => v.sample(v === lib ? (await_module.plain) : there.exported("plain"), { dimension: 2 }, { draws: 20, warmup: 20, seed: 1, deterministic: true });
const await_module = await import(module);
await both("a function that is exported", scaled, (p) => ofNumbers(p.draws("x")));
await both("minimised", (v) => v.minimize(v === lib ? await_module.f : there.exported("f"), [3, 4], { evaluations: 60, seed: 2 }), (m) => ofNumbers(m.x) + m.value + m.evaluations + m.history.length);
await both("tuned", (v) => v.tune(v === lib ? await_module.trial : there.exported("trial"), { halving: false, over: { rate: { low: 0.001, high: 0.1, scale: "log" } }, trials: 3, seed: 1 }), (t) => JSON.stringify([t.settings, t.value, t.finished]));
await both("calibrated", (v) => v.calibrate(v === lib ? await_module.simple : there.exported("simple"), { y: [0, 0] }, { simulations: 2, draws: 9, bins: 2, seed: 1 }), (c) => JSON.stringify(Object.values(c.numbers).map((n) => [...n.ranks])) + c.verdict());
const mode = (m) => [Object.keys(m.values), ...Object.values(m.values).map(ofNumbers), JSON.stringify({ ...m, values: 0, run: m.run.updates })].join();
const climbing = { seed: 2, deterministic: true };
await both("mode", (v) => v.fit(schools, given, { ...climbing, starts: 3 }), mode);
await both("mode by a rule, from one start", (v) => v.fit(schools, given, { ...climbing, rule: lib.lbfgs(), start: { mu: 1, tau: 2, theta: given.y } }), mode);
const lost = model(({ param, target }) => target(param("rate", "positive")), { name: "lost" });
await both("mode that there is not", (v) => v.fit(lost, {}, climbing), mode);
await both("mode of a model that is exported", (v) => v.fit(v === lib ? await_module.simple : there.exported("simple"), { y: [1, 2] }, climbing), mode);

const graph = lib.factorGraph();
for (let i = 0; i < 12; i++) graph.variable("v" + i, i % 3 ? ["low", "high"] : ["a", "b", "c"]);
for (let i = 0; i < 12; i++) for (const j of [i + 1, i + 4]) if (j < 12) graph.table(["v" + i, "v" + j], Array.from({ length: (i % 3 ? 2 : 3) * (j % 3 ? 2 : 3) }, (_, k) => 1 + ((7 * i + 3 * j + 5 * k) % 11)));
graph.table(["v0", "v2"], [-900, -890, 0, -1000, 700, 720], { logs: true });
const told = (a) => JSON.stringify([a.variables, a.toString(), { ...a.toJSON(), description: { ...a.description, run: 0 } }]);
const seen = { v1: "high", v2: [0.2, 0.7] };
for (const task of ["marginals", "partition", "map"]) await both("inferred: " + task, (v) => v.infer(graph, { task, seed: 3, evidence: seen }), told);
await both("inferred by an algorithm, of tables", (v) => v.infer(graph.factorTables("marginals"), { algorithm: lib.naiveMeanField({ restarts: 3 }), seed: 4, evidence: { v1: "low" } }), told);
const large = lib.factorGraph();
for (let i = 0; i < 300; i++) large.variable("n" + i);
for (let i = 0; i < 299; i++) large.equal(["n" + i, "n" + (i + 1)], { weight: 0.3 });
for (let i = 0; i < 300; i += 9) large.isTrue("n" + i, { weight: 1 });
await both("inferred in columns", (v) => v.infer(large, { algorithm: lib.graphGibbs({ sweeps: 200, warmup: 20 }), seed: 2 }), told);
const earlier = await lib.infer(large, { algorithm: lib.graphGibbs({ sweeps: 200, warmup: 20 }) });
await both("inferred from an answer", (v) => v.infer(large, { algorithm: lib.graphGibbs({ sweeps: 200, warmup: 20 }), from: earlier }), (a) => told(a) + a.chains.sweeps);
const sampling = there.infer(large, { algorithm: lib.graphGibbs({ sweeps: 200, warmup: 20 }), seed: 2 });
const sampled = await sampling;
const fromThere = await sampling.checkpoint();
found["columns resumed"] = [told(sampled), told(await there.infer.resume(fromThere, large))];
const annealing = there.infer(graph, { task: "map", algorithm: lib.graphAnnealing({ sweeps: 200, restarts: 20 }), evidence: seen });
const [annealed, best] = await Promise.all([annealing.checkpoint(), annealing]);
const again = (v) => v.infer.resume(annealed, graph, { evidence: seen });
await both("inference resumed", again, told);
found["inference resumed, as it was"] = [told(best), told(await again(there))];

const townOf = (count = 20) => {
  const town = lib.factorGraph();
  const [near, base] = [town.weight("near"), town.weight("base", 0.1)];
  for (let i = 0; i < count; i++) {
    town.variable("h" + i, i % 4 ? undefined : ["low", "mid", "high"], i === 7 ? { truthiness: [0.25, 0.75] } : {});
    town.isTrue(i % 4 ? "h" + i : lib.is("h" + i, "high"), { weight: base, feature: 1 + (i % 3) });
    if (i % 5 && i !== 7) town.observe("h" + i, i % 4 ? i % 7 < 3 : "low");
    if (i % 4 > 1) town.equal(["h" + i, "h" + (i - 1)], { weight: near });
  }
  town.table(["h1", "h2"], [3, 1, 1, 2]);
  return town;
};
const town = townOf();
const learnt = async (f) => JSON.stringify([[...f.weights], f.weight("near"), f.heldOut, f.findings, f.run.findings, f.run.reason, f.run.updates, f.graph.observedState("h1"), f.particles && [f.particles.updates, f.particles.free.map((p) => [...p])], String(f.graph), await f.likelihood()]);
const saying = (f) => f.then(learnt);
const townLearning = { seed: 4, epochs: 8, deterministic: true };
await both("learnt", (v) => v.fit(town, townLearning), (f) => f.run.updates + ofNumbers(f.weights));
const [townBefore, townThere] = [await fit(town, townLearning), await there.fit(town, townLearning)];
found["learnt weights"] = [await learnt(townBefore), await learnt(townThere)];
const townOthers = { ...townLearning, epochs: 3, algorithm: lib.contrastiveDivergence({ tempered: true }), rule: lib.sgd({ rate: 0.05 }), l2: 0.01, heldOut: 0.3, replicas: 2 };
const [learntHere, learntThere] = [await fit(town, townOthers), await there.fit(town, townOthers)];
found["learnt otherwise"] = [await learnt(learntHere), await learnt(learntThere)];
for (const algorithm of [lib.pseudoLikelihood(), lib.exactLikelihood()]) found["learnt by " + algorithm.name] = [await saying(fit(town, { ...townLearning, epochs: 3, algorithm })), await saying(there.fit(town, { ...townLearning, epochs: 3, algorithm }))];
const few = townOf(8);
found["learnt by default"] = [await saying(fit(few)), await saying(there.fit(few))];
found["learnt from a result"] = [await saying(fit(town, { ...townLearning, from: townBefore })), await saying(there.fit(town, { ...townLearning, from: townThere }))];
const townGrowing = townOf();
const townAlone = there.fit(townGrowing, townLearning);
townGrowing.observe("h5", true);
found["evidence that came later"] = [await learnt(townBefore), await saying(townAlone)];
const townHalfway = await townAlone.checkpoint();
found["learning resumed"] = [await saying(fit.resume(townHalfway, town, { epochs: 12 })), await saying(there.fit.resume(townHalfway, town, { epochs: 12 }))];
found["calibration of what was learnt"] = [JSON.stringify(learntHere.calibration(await lib.infer(town))), JSON.stringify(learntThere.calibration(await there.infer(town)))];
found["weights of an answer"] = [JSON.stringify([...(await lib.infer(townBefore.graph)).weights]), JSON.stringify([...(await there.infer(townBefore.graph)).weights])];

const { add, abs, sqrt, square, mul, sub, div, less, where } = lib.compiler;
const facts = { summary: "signs, slowly", source: "none" };
const smoothed = lib.rule("smoothed", { rate: 0.01, scale: 0.9, centre: true }, ({ g, rate, scale, centre, t }, { m }, { t: seen }) => {
  const mean = add(mul(scale, m), mul(sub(1, scale), g));
  return { state: { m: mean }, scalars: { t: add(seen, 1) }, step: div(mul(rate, centre ? mean : g), add(sqrt(add(square(mean), 1e-8)), div(1, t))) };
}, facts);
const lazily = { ...plan, rule: smoothed({ rate: lib.cosineDecay({ rate: 0.05, updates: 300 }) }) };
await both("a rule of one's own", (v) => v.fit(linear(), data, lazily), bytes);
await both("in a chain, with other options", (v) => v.fit(network([dense(4), relu(), dense(1)]), data, { ...plan, rule: lib.chain(lib.clipNorm({ norm: 2 }), smoothed({ centre: false }), lib.averaging({ start: 5 })) }), bytes);
const bent = lib.loss("bent", { at: 1 }, ({ z, y, at }) => { const r = sub(z, y); return where(less(abs(r), at), mul(0.5, square(r)), mul(at, sub(abs(r), mul(0.5, at)))); }, { task: "regression", link: "identity", curvature: 1, conjugate: ({ u, y, options }) => where(less(abs(u), options.at + 1e-9), add(mul(0.5, square(u)), mul(u, y)), 1e300) });
await both("a loss of one's own", (v) => v.fit(linear({ loss: bent({ at: 0.3 }) }), data, plan), bytes);
await both("what solves", (v) => v.fit(linear(), data, { algorithm: "auto", deterministic: true }), (m) => bytes(m) + m.run.reason);
await both("a loss of one's own by coordinates", (v) => v.fit(linear({ loss: bent({ at: 0.4 }), l1: 0.01 }), data, { algorithm: lib.coordinateDescent(), seed: 1, deterministic: true }), (m) => bytes(m) + m.gap);
const begun = there.fit(linear({ loss: bent({ at: 0.5 }) }), data, { ...lazily, rule: smoothed({ rate: 0.001 }), epochs: 1e6 });
for await (const tick of begun) if (tick.update > 300) break;
const ownKept = await begun.checkpoint();
begun.stop();
await begun;
const elsewhere = worker();
const resumedOwn = (v) => (v === lib ? v : elsewhere).fit.resume(ownKept, data, { until: { updates: 5e4 } });
await both("resumed, elsewhere", resumedOwn, (m) => bytes(m) + m.run.updates);

const errors = {};
const apart = await there.sample(there.exported("simple"), { y: [0, 0] }, { warmup: 0, draws: 4, chains: 1 });
errors["new rows without the model"] = await apart.predictor().then(() => "none", (error) => error.message);
const failing = async (name, make) => {
  try {
    await make();
    errors[name] = "none";
  } catch (error) {
    errors[name] = error.name + " " + (error.code ?? "") + " " + error.message;
  }
};
// Data that went with a call that is refused, here or there, are there for the next.
const others = Dataset.fromArrays({ x, y });
await failing("null", () => there.fit(linear(), others, null));
await failing("symbol", () => there.fit(linear(), others, { seed: Symbol("s") }));
await failing("inner function", () => there.fit(linear(), others, { until: { loss: () => 1 } }));
await failing("kept though refused", async () => {
  const refused = there.fit(linear(), others, { epochs: -1 });
  const kept = refused.checkpoint();
  await refused.then(() => {}, () => {});
  await kept.then(() => {}, () => {});
  return refused.checkpoint();
});
await failing("kept though not sent", () => there.sample(schools, { y: [1] }).checkpoint());
await failing("infer", () => there.infer(graph, { task: "all" }));
await failing("no graph", () => there.infer({}));
await failing("unknown evidence", () => there.infer(graph, { evidence: { v111: "a" } }));
await failing("a run for its result", () => there.fit(linear(), others, { from: there.fit(linear(), others, plan) }));
await failing("controller", () => there.fit(linear(), others, { signal: new AbortController() }));
await failing("unknown rule", () => there.fit(linear(), others, { rule: { ...lib.sgd(), toJSON: () => ({ rule: "mine", options: {} }) } }));
found["after refusals"] = [bytes(await fit(linear(), others, plan)), bytes(await there.fit(linear(), others, plan))];
const unsent = Dataset.fromArrays({ x, y });
await failing("no checkpoint", () => there.fit.resume(new Uint8Array(3), unsent));
found["after what was not sent"] = [bytes(await fit(linear(), unsent, plan)), bytes(await there.fit(linear(), unsent, plan))];
const stepwise = lib.hostRule("stepwise", { rate: 0.1 }, () => { throw new Error("never"); }, { ...facts, needs: () => "the whole", cost: () => ({ floatsPerParameter: 0, perStep: "a gradient" }) });
await failing("procedure", () => elsewhere.fit(linear(), data, { rule: stepwise(), batch: "all" }));
await failing("inherited", () => elsewhere.minimize(elsewhere.exported("toString"), [1], { evaluations: 9 }));
elsewhere.dispose();
await failing("function", () => there.minimize((z) => z[0] ** 2, [1], { evaluations: 10 }));
await failing("option", () => there.fit(linear(), data, { epochs: -1 }));
await failing("mode", () => there.fit(schools, given, { starts: 0 }));
await failing("mode without data", () => there.fit(schools, { y: [1] }));
await failing("mode of what is discrete", () => there.fit(model(({ param }) => param("k", lib.bernoulli(0.5))), {}));
await failing("rows", () => there.sample(schools, given, { rows: "J" }));
await failing("missing", () => there.minimize(there.exported("nothing"), [1], { evaluations: 10 }));
const controller = new AbortController();
const aborted = there.fit(linear(), data, { epochs: 1e9, signal: controller.signal });
setTimeout(() => controller.abort(), 50);
await failing("abort", () => aborted);
// It has ended on the thread, too.
const atEnd = [];
for (let i = 0; i < 2; i++, await new Promise((resolve) => setTimeout(resolve, 50))) atEnd.push(hex(await aborted.checkpoint()));
found["aborted"] = atEnd;
await failing("aborted before", () => there.fit(linear(), data, { epochs: 50, signal: AbortSignal.abort(new Error("at once")) }));
const stopped = there.fit(linear(), data, { epochs: 1e9 });
setTimeout(() => stopped.pause().proceed().stop("enough"), 50);
const reason = (await stopped).run.reason;
const { model: described } = await there.fit(linear(), data, plan).chosen.then((chosen) => ({ model: chosen.task ?? chosen.model ?? "?" }));
const { dispose } = there;
dispose();
await failing("kept though disposed", () => stopped.checkpoint());
await failing("disposed", () => there.fit(linear(), data, plan));
return { found, unawaited, errors, reason, ticks, described: String(described) };
`;

/** A user's module. `lib` is the address of ergodic. */
export const moduleText = (lib: string): string => `
import { Dataset, fit, linear, model, normal, sgd, vector } from "${lib}";
export const f = (x) => (x[0] - 1) ** 2 + (x[1] + 2) ** 2;
export const plain = (x) => -0.5 * (x[0] * x[0] + x[1] * x[1]);
export const simple = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  const mu = param("mu", normal(0, 1));
  observe(y, normal(mu, 1));
}, { name: "simple" });
const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), i % 3]);
const rows = Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
export const trial = ({ rate }) => fit(linear(), rows, { rule: sgd({ rate }), epochs: 2, validate: rows, deterministic: true });
`;
