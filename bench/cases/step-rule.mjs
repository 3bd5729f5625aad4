/**
 * step-rule: cost per parameter of one Adam step, for 10 million float32 parameters on one thread.
 *
 * Only the step is timed: parameters and gradient are in each side's own memory. Before each round the gradient is set
 * to gradient × factor, where the factor is a power of two and therefore exact on both sides. After every round both
 * sides have taken the same steps, so their parameters must agree; the largest deviation is reported, and more than
 * TOLERANCE fails.
 */
import { join } from "node:path";
import { randomNumbers, share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { openPeer, readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const COUNT = sized(1e7, 1000);
const STEPS = sized(20, 2);
const ADAM = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
/** Float32 rounding over about 100 steps of 1e-3 each, on parameters of about 1. */
const TOLERANCE = 1e-5;
const factorOf = (call) => [1, -0.5, 2, -0.25, 0.5, -2, 0.25, -1][call % 8];

function makeData(folder) {
  const random = randomNumbers(1);
  const parameter = Float32Array.from({ length: COUNT }, () => 2 * random.uniform() - 1);
  const gradient = Float32Array.from({ length: COUNT }, () => 2 * random.uniform() - 1);
  return { folder, parameter, gradient };
}

async function ours({ parameter, gradient }) {
  const { adam, RuleRunner } = await openErgodic();
  const runner = await RuleRunner.open(adam(ADAM), { count: COUNT, precision: "f32", start: parameter });
  let call = 0;
  return {
    name: "ergodic adam",
    async round() {
      const factor = factorOf(call++);
      const scaled = runner.gradient();
      for (let j = 0; j < COUNT; j++) scaled[j] = gradient[j] * factor;
      const start = performance.now();
      for (let k = 0; k < STEPS; k++) runner.step(0);
      const seconds = (performance.now() - start) / 1000;
      return { value: (seconds * 1e9) / (STEPS * COUNT), parameters: () => runner.parameters() };
    },
  };
}

async function openTorch({ folder, parameter, gradient }, form) {
  const peer = await openPeer("torch_adam.py", { ...share(folder, { parameter, gradient }), ...ADAM, form });
  const file = join(folder, `torch-${form}.raw`);
  let call = 0;
  return {
    name: `${peer.version} Adam(${form}=True)`,
    close: peer.close,
    async round() {
      const { seconds } = await peer.run({ steps: STEPS, factor: factorOf(call++), parameters: file });
      return { value: (seconds * 1e9) / (STEPS * COUNT), parameters: () => readNumbers(file, Float32Array) };
    },
  };
}

const lastParameters = ({ rounds }) => rounds[rounds.length - 1].parameters();

function compare(ours, theirs) {
  const mine = lastParameters(ours);
  const other = lastParameters(theirs);
  let worst = 0;
  for (let j = 0; j < COUNT; j++) {
    const difference = Math.abs(mine[j] - other[j]);
    if (!(difference <= worst)) worst = difference; // also for NaN; the next line then exits
    if (Number.isNaN(worst)) break;
  }
  return { text: `parameters differ by ${worst.toExponential(1)} at most (may be ${TOLERANCE})`, passed: worst <= TOLERANCE };
}

export default {
  name: "step-rule",
  measures: "Adam on 10 million float32 parameters, one thread: ns a parameter",
  metric: "ns a parameter",
  better: "less",
  makeData,
  ours,
  peers: (problem) =>
    [
      ["fused", 0.5],
      ["foreach", 2],
    ].map(([form, goal]) => ({ name: `PyTorch Adam(${form}=True)`, goal, open: () => openTorch(problem, form) })),
  compare,
};
