/**
 * Training runs as text, for evaluation in Node, another Node process, and a browser. The text is the body of an async
 * function of the library `lib`. It returns the bytes of each run's weights by name.
 */
export const training = `
  const { adam, Dataset, fit, lbfgs, linear, polyakEstimated, predictor, prodigy, rff, saga, sgd, stochasticLineSearch, svrg } = lib;
  let s = 7;
  const next = () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  const x = Array.from({ length: 400 }, () => Array.from({ length: 12 }, () => (next() > 0 ? 2 * next() : 0)));
  const score = x.map((row) => row[0] - 2 * row[1] + row[2] * row[3] + 0.2 * next());
  const two = Dataset.fromArrays({ x, y: score.map((v) => (v > 0 ? "yes" : "no")) });
  const three = Dataset.fromArrays({ x, y: score.map((v) => (v < -0.5 ? "low" : v < 0.5 ? "mid" : "high")) });
  const sparseOf = (kept) => {
    const rows = x.map((row) => row.flatMap((v, j) => (kept(v) ? [[j, v]] : [])));
    let count = 0;
    return Dataset.fromSparse({
      rowCount: 400, columnCount: 12, source: "rows",
      rowStart: Uint32Array.from([0, ...rows.map((row) => (count += row.length))]),
      columnIndex: Uint32Array.from(rows.flat().map(([j]) => j)),
      values: Float64Array.from(rows.flat().map(([, v]) => v)),
      target: Float64Array.from(score),
    });
  };
  const sparse = sparseOf((v) => v !== 0);
  const common = { deterministic: true, seed: 5, epochs: 4 };
  const runs = {
    adagrad: [{}, two, {}],
    saga: [{ l1: 0.01, l2: 0.01 }, two, { variance: saga(), precision: "f64" }],
    svrg: [{ loss: "squared", l2: 0.01 }, sparse, { variance: svrg() }],
    adam: [{ loss: "multinomial" }, three, { rule: adam({ rate: 0.01 }), batch: 16 }],
    replicas: [{}, two, { replicas: 4, workers: 2, averageEvery: 0.5 }],
    bytes: [{}, two, { rule: sgd({ rate: 0.1 }), precision: "i8", schedule: "replacement" }],
    rounding: [{}, three, { precision: { data: "i8", model: "i16" } }],
    features: [{ features: rff({ count: 64 }), standardise: true }, two, { schedule: "blocks", blockRows: 16 }],
    search: [{ l2: 0.01 }, two, { rule: stochasticLineSearch(), batch: 8 }],
    prodigy: [{ loss: "huber" }, sparse, { rule: prodigy(), batch: 4 }],
    lbfgs: [{ l2: 0.01 }, three, { rule: lbfgs(), precision: "f64", workers: 2 }],
    batches: [{ loss: "squared", l2: 0.01 }, sparseOf((v) => v > 0.7), { variance: svrg(), batch: 6, precision: "f64" }],
    full: [{ loss: "poisson" }, Dataset.fromArrays({ x, y: score.map((v) => Math.max(0, Math.round(v + 1))) }), { rule: polyakEstimated(), batch: "all", workers: 2 }],
  };
  const bytes = {};
  for (const [name, [model, data, options]] of Object.entries(runs)) {
    const fitted = await fit(linear(model), data, { ...common, ...options });
    const again = await predictor(fitted.toBytes());
    bytes[name] = [...new Uint8Array(again.weights.buffer), ...new Uint8Array(again.intercept.buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  return bytes;`;

/**
 * Like the training text, for a regularisation path, searches, and draws from priors and posteriors whose masses, tails
 * and powers are computed in JavaScript. Returns the bytes of each result.
 */
export const drawing = `
  const { cauchy, cmaEs, Dataset, exponential, fit, gamma, geometric, halfCauchy, halfNormal, halfStudent, laplace, linear, logistic, lognormal, minimize,
    model, normal, nuts, pareto, pathfinder, poisson, prior, sample, spsa, student, truncated, vector, weibull } = lib;
  const bytes = {};
  // Numbers as their bytes; a NaN's bits are left to the engine.
  const keep = (name, ...all) => {
    const hex = (v) => [...new Uint8Array(Float64Array.of(v).buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
    bytes[name] = all.flatMap((values) => [...values].map((v) => (Number.isNaN(v) ? "NaN" : hex(v)))).join("");
  };
  let s = 7;
  const next = () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  const x = Array.from({ length: 60 }, () => Array.from({ length: 8 }, next));
  const y = x.map((row) => 3 * row[0] - row[1] + 0.3 * next());

  for (const [name, loss, target] of [["squared", "squared", y], ["logistic", "logistic", y.map((v) => (v > 0 ? "yes" : "no"))]]) {
    const data = Dataset.fromArrays({ x, y: target });
    const path = await fit.path(linear({ loss }), data, { lambdas: 20, ratio: 0.01, folds: 3, seed: 1, deterministic: true });
    keep("path " + name, path.lambdas, ...Array.from(path.lambdas, (_, k) => path.weights(k)));
    const predicted = path.predictor(6).predict(data).flatMap(({ value, probabilities }) => (probabilities ? Object.values(probabilities) : [value]));
    keep("predicted " + name, predicted);
  }

  const tails = {
    weibull: [weibull(1.7, 2), { lower: 6 }], pareto: [pareto(1.3, 2.3), { lower: 20, upper: 50 }], cauchy: [cauchy(0.3, 1), { lower: 31 }],
    halfCauchy: [halfCauchy(1), { lower: 40, upper: 90 }], lognormal: [lognormal(0, 1), { lower: 9 }], laplace: [laplace(0, 1), { lower: 4 }],
    exponential: [exponential(1.1), { lower: 4 }], logistic: [logistic(0, 1), { upper: -5 }], normal: [normal(0, 1), { lower: 3, upper: 4 }],
    gamma: [gamma(1.3, 2), { lower: 4 }], student: [student(3.3, 0, 1), { lower: 7 }], halfStudent: [halfStudent(3.3, 1), { lower: 7 }],
    geometric: [geometric(0.3), { lower: 11 }],
  };
  const far = model(({ param, generated }) => {
    for (const [name, [base, bounds]] of Object.entries(tails)) name === "geometric" ? generated(name, truncated(base, bounds)) : param(name, truncated(base, bounds));
  });
  const before = await sample(far, {}, { algorithm: prior(), chains: 2, draws: 20, seed: 3, deterministic: true });
  for (const name of Object.keys(tails)) keep("prior " + name, before.draws(name));

  const bent = model(({ data, param, observe, generated }) => {
    const { x, y } = data({ x: vector("N"), y: vector("N") });
    const slope = param("slope", truncated(student(3.5, 0, 2), { lower: 0.1 }));
    const scale = param("scale", truncated(gamma(2.2, 1.5), { upper: 6 }));
    const shape = param("shape", lognormal(0, 0.5));
    observe(y, weibull(shape, scale.mul(slope.mul(x).exp())));
    generated("count", poisson(scale.pow(1.3)));
    generated("bent", scale.log().tanh().add(slope.neg().exp()).add(shape.sigmoid()).add(scale.log1p()));
  });
  const times = { x: x.map((row) => row[0]), y: y.map((v) => 0.1 + v * v) };
  const common = { chains: 2, seed: 4, deterministic: true };
  const drawn = await sample(bent, times, { ...common, algorithm: nuts(), warmup: 150, draws: 60 });
  for (const name of ["slope", "scale", "shape", "count", "bent"]) keep("nuts " + name, drawn.draws(name));
  keep("summary", Object.values(drawn.summary()).flatMap(({ mean, mcseMean, sd, rhat, essBulk, essTail }) => [mean, mcseMean, sd, rhat, essBulk, essTail]));
  const { elpd, pointwise } = drawn.loo();
  keep("loo", [elpd], pointwise.elpd, pointwise.paretoK);
  const near = await sample(bent, times, { ...common, algorithm: pathfinder(), draws: 60 });
  keep("pathfinder", near.draws("slope"), near.draws("scale"));

  const waves = (at) => at.reduce((sum, v, i) => sum + (i + 1) * (v - 0.3) * (v - 0.3) + 40 * Math.abs(v - Math.round(v)), 0);
  // Every point that was asked for counts, not the best alone.
  for (const [name, algorithm] of Object.entries({ ipop: cmaEs({ restarts: "ipop" }), bipop: cmaEs({ restarts: "bipop" }), spsa: spsa() })) {
    let sum = 0;
    const counted = (at) => {
      for (const v of at) sum += v;
      return waves(at);
    };
    const { x, value } = await minimize(counted, [2, -3], { algorithm, until: { evaluations: 4000 }, seed: 6 });
    keep(name, x, [value, sum]);
  }
  return bytes;`;

/**
 * Like the training text, for `infer` by elimination, bounds and sampling, and for learnt graph weights. Returns the
 * bytes of each result.
 */
export const graphs = `
  const { annealedImportanceSampling, contrastiveDivergence, elimination, exactLikelihood, factorGraph, fit, graphGibbs, graphTempering, importanceSampling, infer,
    lbfgs, loopyBeliefPropagation, miniBuckets, pseudoLikelihood, replicaGibbs } = lib;
  const bytes = {};
  const keep = (name, ...all) => {
    const hex = (v) => [...new Uint8Array(Float64Array.of(v).buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
    bytes[name] = all.flatMap((values) => [...values].map((v) => (Number.isNaN(v) ? "NaN" : hex(v)))).join("");
  };
  let s = 7;
  const next = () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  // A grid of Booleans and of variables of three states, with tables, rules, and zeros.
  const side = 5;
  const grid = (zeros) => {
    const graph = factorGraph();
    const name = (i, j) => "v" + (i * side + j);
    const states = (i, j) => (zeros && (i + j) % 3 === 0 ? 3 : 2);
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) graph.variable(name(i, j), Array.from({ length: states(i, j) }, (_, k) => "s" + k));
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++)
        for (const [k, l] of [[i + 1, j], [i, j + 1]]) {
          if (k === side || l === side) continue;
          const table = Array.from({ length: states(i, j) * states(k, l) }, () => 0.3 + Math.abs(next()));
          if (zeros && (i + 2 * j) % 4 === 0) table[0] = 0;
          graph.table([name(i, j), name(k, l)], table);
        }
    return graph;
  };
  const answers = {
    elimination: [true, elimination(), "marginals"],
    "mini-buckets": [true, miniBuckets({ iBound: 3 }), "partition"],
    importance: [true, importanceSampling({ samples: 2000 }), "marginals"],
    propagation: [true, loopyBeliefPropagation(), "marginals"],
    annealed: [false, annealedImportanceSampling({ particles: 100, temperatures: 30 }), "partition"],
    tempering: [false, graphTempering({ warmup: 50, sweeps: 200 }), "marginals"],
    gibbs: [false, graphGibbs({ warmup: 20, sweeps: 200 }), "marginals"],
  };
  for (const [name, [zeros, algorithm, task]] of Object.entries(answers)) {
    const found = await infer(grid(zeros), { algorithm, task, seed: 3, workers: 2, evidence: { v7: 1 } });
    const [p, { lower, upper, interval, mcse }] =
      task === "marginals" ? [found.variables.flatMap((one) => found.marginal(one).p), found.marginal(0).certificate] : [[found.logZ], found.logZCertificate];
    keep(name, p, [lower, upper, interval, mcse].flat(2).filter((v) => v !== undefined));
  }
  const best = await infer(grid(true), { algorithm: elimination(), task: "map" });
  keep("best", best.best.states, [best.best.value]);

  const town = factorGraph();
  const near = town.weight("near");
  const base = town.weight("base");
  const houses = 120;
  for (let i = 0; i < houses; i++) {
    town.variable("house " + i);
    town.isTrue("house " + i, { weight: base });
    if (i < 110) town.observe("house " + i, Math.floor(i / 4) % 3 === 0 ? 1 : 0);
    if (i > 0) town.equal(["house " + (i - 1), "house " + i], { weight: near });
  }
  const learners = { contrastive: [contrastiveDivergence(), {}], pseudo: [pseudoLikelihood(), { rule: lbfgs() }], exact: [exactLikelihood(), {}] };
  for (const [name, [algorithm, options]] of Object.entries(learners))
    keep("learnt, " + name, (await fit(town, { algorithm, epochs: 20, l2: 0.01, heldOut: 0.1, seed: 2, workers: 2, ...options })).weights);
  const ising = factorGraph();
  for (let i = 0; i < 64; i++) ising.variable("x" + i);
  for (let i = 0; i < 64; i++)
    for (const j of [(i + 1) % 64, (i + 8) % 64]) ising.equal(["x" + i, "x" + j], { weight: next() > 0 ? 0.4 : -0.4 });
  const flips = await infer(ising, { algorithm: replicaGibbs({ warmup: 20, sweeps: 100 }), seed: 4 });
  keep("replicas", flips.variables.flatMap((one) => flips.marginal(one).p));
  for (const task of ["marginals", "partition"]) {
    const copies = await infer(ising, { algorithm: graphTempering({ warmup: 50, sweeps: 300 }), task, seed: 5 });
    keep("tempering of bits, " + task, task === "marginals" ? copies.variables.flatMap((one) => copies.marginal(one).p) : [copies.logZ, copies.logZCertificate.interval ?? []].flat());
  }
  const kinds = {
    "gibbs, blocks": [true, graphGibbs({ schedule: "blocks", warmup: 20, sweeps: 120 })],
    "gibbs, tempered": [false, graphGibbs({ tempered: true, chains: 2, warmup: 32, sweeps: 120 })],
    "gibbs, tempered blocks": [false, graphGibbs({ schedule: "blocks", tempered: { count: 3 }, chains: 2, warmup: 32, sweeps: 120 })],
  };
  for (const [name, [zeros, algorithm]] of Object.entries(kinds)) {
    const found = await infer(zeros ? grid(true) : ising, { algorithm, seed: 6, workers: 2 });
    const certificates = found.variables.map((one) => found.marginal(one).certificate);
    keep(name, found.variables.flatMap((one) => found.marginal(one).p), certificates.flatMap(({ mcse, rhat, ess }) => [mcse ?? [], rhat ?? 0, ess ?? 0].flat()), ...found.chains.states);
  }
  for (const [name, options] of Object.entries({
    "learnt, replicas": { algorithm: contrastiveDivergence({ particles: 2 }), replicas: 3, averageEvery: 2 },
    "learnt, tempered": { algorithm: contrastiveDivergence({ tempered: true, particles: 2 }) },
  })) {
    const learned = await fit(town, { epochs: 20, l2: 0.01, heldOut: 0.1, seed: 2, workers: 2, ...options });
    keep(name, learned.weights, ...learned.particles.free, ...learned.particles.clamped);
  }
  return bytes;`;
