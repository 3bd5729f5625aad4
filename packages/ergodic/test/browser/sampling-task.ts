/**
 * Text of an async function body with the parameters `lib` and `compiler`. It samples and returns the bytes of the
 * draws by name. Node and browsers run the same text.
 */
export const sampling = `
const { halfCauchy, hmc, model, nuts, normal, sample, vector } = lib;
const schools = model(({ data, param, observe, generated }) => {
  const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
  const mu = param("mu", normal(0, 5));
  const tau = param("tau", halfCauchy(5));
  const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
  observe(y, normal(theta, sigma));
  generated("next", normal(theta, sigma));
});
const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
const hex = (values) => Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), (b) => b.toString(16).padStart(2, "0")).join("");
const found = {};
for (const [name, algorithm] of Object.entries({ nuts: nuts(), dense: nuts({ metric: "dense" }), hmc: hmc({ leapfrogs: 7, jitter: 0.2 }) })) {
  const posterior = await sample(schools, data, { algorithm, chains: 2, warmup: 150, draws: 40, seed: 11, deterministic: true });
  for (const quantity of ["mu", "tau", "theta", "next"]) found[name + " " + quantity] = hex(posterior.draws(quantity));
  found[name + " energy"] = hex(posterior.transition("energy"));
}
return found;
`;

/** Samples for a second on the main thread and counts how often its timers fire. */
export const responsive = `
const { model, normal, sample, vector } = lib;
const heavy = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 5)), 1));
});
const y = Float64Array.from({ length: 20000 }, (_, i) => Math.sin(i));
let turns = 0;
let running = true;
const count = () => { turns++; if (running) setTimeout(count, 10); };
count();
const posterior = await sample(heavy, { y }, { draws: 1e6, chains: 2, until: { seconds: 1 } });
running = false;
return { turns, reason: posterior.description.run.reason };
`;
