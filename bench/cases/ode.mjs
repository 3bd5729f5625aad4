/**
 * ode: gradients per second of densities that solve differential equations, at equal tolerance: an epidemic (SIR, 3
 * states, 14 days) and one-compartment kinetics (2 states, 16 hours), each with three parameters.
 *
 * Ours is dormandPrince; rstan's is integrate_ode_rk45, the same pair of methods. A contestant's value is the geometric
 * mean of both problems; the text lists each. Measures processor time of calls from JavaScript and from R. Ours
 * differentiates the steps that it takes; rstan solves equations for the derivatives, so gradients differ by about the
 * tolerance.
 */
import { openCompiler } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { openPeer } from "../peer.mjs";
import { CACHE, geometricMean } from "../posteriors.mjs";
import { sized } from "../size.mjs";

const TOLERANCE = 1e-6;
const REPEATS = sized(10_000, 20);
const PEER_REPEATS = sized(500, 20);
/** Largest difference, relative to the larger number of the gradient. */
const MOST_OFF = 1e-3;

/** Problems with invented observations; the density is −½ precision Σ (state − observed)². */
const problems = {
  sir: {
    problem: 1,
    theta: [1.7, 0.45, 1.2],
    precision: 1e-3,
    times: Array.from({ length: 14 }, (_, i) => i + 1),
    observed: (k) => [700 / (1 + Math.exp(k - 5)), 300 * Math.exp(-((k - 6) ** 2) / 12), 720 / (1 + Math.exp(7 - k))],
    start: ({ stack, at, sub, toArray }, theta) => stack([sub(763, at(theta, 2)), at(theta, 2), toArray(0)]),
    slope({ at, div, mul, neg, stack, sub }, theta, y) {
      const infected = mul(mul(div(at(theta, 0), 763), at(y, 0)), at(y, 1));
      const recovered = mul(at(theta, 1), at(y, 1));
      return stack([neg(infected), sub(infected, recovered), recovered]);
    },
  },
  oneCompartment: {
    problem: 5,
    theta: [1.2, 0.3, 10],
    precision: 1,
    times: [0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24],
    observed: (t) => [90 * Math.exp(-1.1 * t), 12 * (Math.exp(-0.28 * t) - Math.exp(-1.1 * t))],
    start: ({ constantArray }) => constantArray([100, 0]),
    slope({ at, div, mul, neg, stack, sub }, theta, y) {
      const absorbed = mul(at(theta, 0), at(y, 0));
      return stack([neg(absorbed), sub(div(absorbed, at(theta, 2)), mul(at(theta, 1), at(y, 1)))]);
    },
  },
};
const names = Object.keys(problems);

async function gradientOf(compiler, { theta, times, observed, precision, start, slope }) {
  const { compileFunction, constantArray, mul, ode, square, sub, sum } = compiler;
  const rows = times.map(observed);
  const f = await compileFunction(
    { theta: [theta.length] },
    ({ theta }) => {
      const { states } = ode((_, y) => slope(compiler, theta, y), start(compiler, theta), times, { tolerance: TOLERANCE });
      return mul(-0.5 * precision, sum(square(sub(states, constantArray(rows.flat(), states.shape)))));
    },
    { gradient: ["theta"] },
  );
  f.inputs.theta.set(theta);
  return f;
}

/** One round: each problem in turn. */
async function round(run) {
  const results = {};
  for (const name of names) results[name] = await run(name);
  return { value: geometricMean(names.map((name) => results[name].rate)), results };
}

async function ours() {
  const compiler = await openCompiler();
  const functions = {};
  for (const name of names) functions[name] = await gradientOf(compiler, problems[name]);
  return {
    name: "ergodic ode()",
    round: () =>
      round((name) => {
        const f = functions[name];
        const before = process.cpuUsage();
        for (let i = 0; i < REPEATS; i++) f.run();
        const { user, system } = process.cpuUsage(before);
        return { rate: (REPEATS * 1e6) / (user + system), gradient: [...f.gradients.theta] };
      }),
  };
}

async function rstan() {
  const peer = await openPeer("rstan_ode.R", { cache: CACHE });
  return {
    name: peer.version,
    round: () =>
      round(async (name) => {
        const { problem, theta, times, observed, precision } = problems[name];
        const numbers = { theta: theta.join(" "), times: times.join(" "), observed: times.flatMap(observed).join(" ") };
        const asked = { problem, precision, tolerance: TOLERANCE, repeats: PEER_REPEATS, ...numbers };
        const { seconds, gradient } = await peer.run(asked);
        return { rate: PEER_REPEATS / seconds, gradient: gradient.trim().split(/ +/).map(Number) };
      }),
    close: () => peer.close(),
  };
}

function compare(ours, theirs) {
  const rows = names.map((name) => {
    const rate = (side) => median(side.rounds.map(({ results }) => results[name].rate));
    const [own, wanted] = [ours, theirs].map((side) => side.rounds[0].results[name].gradient);
    const largest = Math.max(...wanted.map(Math.abs));
    const off = Math.max(...own.map((x, i) => Math.abs(x - wanted[i]))) / largest;
    return { name, ratio: rate(ours) / rate(theirs), off };
  });
  const listed = rows.map(({ name, ratio, off }) => `${name} ${ratio.toFixed(1)} (gradients differ by ${off.toExponential(0)})`);
  return { text: listed.join(", "), passed: rows.every(({ off }) => off <= MOST_OFF) };
}

export default {
  name: "ode",
  measures:
    "gradients of an epidemic and of one-compartment kinetics by adaptive steps, tolerance 1e-6: gradients a second of processor time",
  metric: "gradients/s",
  better: "more",
  makeData: (folder) => ({ folder }),
  ours,
  peers: () => [{ name: "rstan integrate_ode_rk45", goal: 3, open: rstan }],
  compare,
};
