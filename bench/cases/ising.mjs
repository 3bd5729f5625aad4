/**
 * ising: single-variable updates per second on a 32 × 32 Ising magnet at temperature 3, by 64 replicas of replicaGibbs
 * on one worker (updates of all replicas count) and by one chain of JAGS. Also flips per nanosecond of our replicas on
 * ±J square lattices of 256 × 256 and 1024 × 1024, with statistics; 0.5 is required.
 *
 * JAGS has no pair factors: each is a Bernoulli observed as 1, with probability 1 if the two are equal and e^(−2/T) if
 * they differ. Its seconds are those of a long run minus those of a short run. Both energies must be within five
 * standard errors of the exact value.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openModules } from "../ergodic.mjs";
import { Skipped } from "../peer.mjs";
import { sized } from "../size.mjs";

const SIDE = 32;
const TEMPERATURE = 3;
/** Exact energy per site, from the number of states at each energy. */
const ENERGY = -0.8173097389;
const LATTICES = sized([256, 1024], [16]);
/** At tiny size speed is not judged. */
const ASKED = sized(0.5, 0);
/** Sweeps per round: ours by side length, JAGS by run. */
const SWEEPS = sized({ 32: 4000, 256: 64, 1024: 4 }, { 32: 20, 16: 20 });
const JAGS_SWEEPS = sized({ few: 500, many: 8500 }, { few: 10, many: 1510 });

const bondsOf = (side) =>
  Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return [
      [i, row * side + ((column + 1) % side)],
      [i, ((row + 1) % side) * side + column],
    ];
  }).flat();

/** Returns 64 replicas of a lattice, laid out. `glass`: couplings of either sign. */
async function lattice(side, glass) {
  const [{ BitLayout }, { Replicas }, { openEngine }, { stream }, { factorGraph }] = await openModules(
    "graphs/sampling/replicas/bit-layout.js",
    "graphs/sampling/replicas/replicas.js",
    "engine/memory/engine.js",
    "engine/random/stream.js",
    "entries/graphs.js",
  );
  const engine = await openEngine({ families: ["graphs"] });
  const graph = factorGraph();
  for (let i = 0; i < side * side; i++) graph.variable();
  const weights = [1, -1].map((sign) => graph.weight(undefined, sign / TEMPERATURE).id);
  const draws = stream(1, "signs").at(0);
  for (const bond of bondsOf(side)) graph.addFactor("equal", bond, [1, 1], weights[glass ? draws.bits() & 1 : 0]);
  const layout = new BitLayout(graph.conditionals(), engine.memory);
  const replicas = new Replicas(layout, engine, stream(1, "ising"), 1);
  replicas.begin(stream(1, "ising, start").at(0));
  let sweep = 0;
  const run = (sweeps) => {
    for (let left = sweeps; left > 0; ) {
      const count = Math.min(left, replicas.room);
      const whole = { from: 0, to: layout.positions, shared: false };
      for (const { kernel, args } of replicas.calls(whole, sweep, count, true, 1)) engine.kernel(kernel, false)(...args);
      replicas.counted(count);
      sweep += count;
      left -= count;
    }
  };
  const bonds = bondsOf(side).map((bond) => bond.map((variable) => 2 * layout.positionOf[variable]));
  /** Energy per site, over all replicas. */
  const energy = () => {
    let broken = 0;
    const { words } = replicas;
    for (const [a, b] of bonds) broken += ones(words[a] ^ words[b]) + ones(words[a + 1] ^ words[b + 1]);
    return (2 * broken) / 64 / side ** 2 - 2;
  };
  return { run, energy };
}

function ones(word) {
  let count = 0;
  for (; word !== 0; word &= word - 1) count++;
  return count;
}

const ours = async () => {
  const magnet = await lattice(SIDE, false);
  const glasses = await Promise.all(LATTICES.map(async (side) => ({ side, ...(await lattice(side, true)) })));
  magnet.run(1000);
  const flips = (side, { run }) => {
    const start = performance.now();
    run(SWEEPS[side]);
    return (64 * side ** 2 * SWEEPS[side]) / (performance.now() - start) / 1e6;
  };
  return {
    name: "ergodic, 64 replicas",
    note: (rounds) => LATTICES.map((side, i) => `±J ${side}²: ${text(rounds, i)} flips a nanosecond`).join("; "),
    round() {
      const value = 1e9 * flips(SIDE, magnet);
      const energies = Array.from({ length: 200 }, () => {
        magnet.run(20);
        return magnet.energy();
      });
      return { value, energies, lattices: glasses.map((one) => flips(one.side, one)) };
    },
  };
};

const sorted = (rounds, i) => rounds.map(({ lattices }) => lattices[i]).sort((a, b) => a - b);
const middle = (rounds, i) => sorted(rounds, i)[rounds.length >> 1];
const text = (rounds, i) =>
  `${middle(rounds, i).toFixed(2)} (${sorted(rounds, i)[0].toFixed(2)} to ${sorted(rounds, i).at(-1).toFixed(2)})`;

const MODEL = `model {
  for (i in 1:N) { x[i] ~ dbern(0.5) }
  for (e in 1:M) {
    same[e] <- equals(x[a[e]], x[b[e]])
    ones[e] ~ dbern(same[e] + (1 - same[e]) * q)
  }
  agree <- sum(same[])
}
`;

function jags(folder) {
  const bonds = bondsOf(SIDE);
  const list = (name, values) => `${name} <- c(${values})\n`;
  writeFileSync(join(folder, "ising.bug"), MODEL);
  writeFileSync(
    join(folder, "ising.R"),
    `N <- ${SIDE ** 2}\nM <- ${bonds.length}\nq <- ${Math.exp(-2 / TEMPERATURE)}\n` +
      list(
        "a",
        bonds.map(([i]) => i + 1),
      ) +
      list(
        "b",
        bonds.map(([, i]) => i + 1),
      ) +
      list(
        "ones",
        bonds.map(() => 1),
      ),
  );
  /** Returns the seconds of a process and the energy per site of every tenth sweep. */
  const run = (sweeps, seed) => {
    writeFileSync(join(folder, "seed.R"), `.RNG.name <- "base::Mersenne-Twister"\n.RNG.seed <- ${seed}\n`);
    const commands = [
      ...['model in "ising.bug"', 'data in "ising.R"', "compile", 'parameters in "seed.R"', "initialize", "update 500"],
      ...["monitor agree, thin(10)", `update ${sweeps}`, "coda *", "exit", ""],
    ];
    writeFileSync(join(folder, "ising.cmd"), commands.join("\n"));
    const start = performance.now();
    const { error, status, stdout } = spawnSync("jags", ["ising.cmd"], { cwd: folder, encoding: "utf8" });
    const seconds = (performance.now() - start) / 1000;
    if (error) throw new Skipped(`jags did not start (${error.message}); install the peers with bench/peers/install.sh`);
    if (status !== 0) throw new Error(`jags ended with ${status}: ${stdout}`);
    const drawn = readFileSync(join(folder, "CODAchain1.txt"), "utf8").trim().split("\n");
    const energies = drawn.map((line) => (bonds.length - 2 * Number(line.trim().split(/\s+/)[1])) / SIDE ** 2);
    return { seconds, energies, version: /JAGS [\d.]+/.exec(stdout)?.[0] ?? "JAGS" };
  };
  const { version } = run(10, 1);
  return {
    name: version,
    round(i) {
      const few = run(JAGS_SWEEPS.few, 2 * i + 1);
      const many = run(JAGS_SWEEPS.many, 2 * i + 2);
      const updates = SIDE ** 2 * (JAGS_SWEEPS.many - JAGS_SWEEPS.few);
      return { value: updates / (many.seconds - few.seconds), energies: many.energies };
    },
  };
}

/**
 * Returns the mean energy of all rounds, and its distance from the exact value in standard errors, which are estimated
 * from batch means of fifty.
 */
function energyOf({ rounds }) {
  const values = rounds.flatMap(({ energies }) => energies);
  const means = Array.from({ length: Math.floor(values.length / 50) }, (_, b) => average(values.slice(50 * b, 50 * (b + 1))));
  const mean = average(means);
  const error = Math.sqrt(means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / (means.length - 1) / means.length);
  return { mean, off: (mean - ENERGY) / error };
}

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export default {
  name: "ising",
  measures: `a ${SIDE} × ${SIDE} Ising magnet: updates a second, one worker; ±J lattices: flips a nanosecond`,
  metric: "updates a second",
  better: "more",
  makeData: async (folder) => folder,
  ours,
  peers: (folder) => [{ name: "JAGS", goal: 100, open: () => jags(folder) }],
  compare: (mine, theirs) => {
    const energies = [mine, theirs].map(energyOf);
    const slow = LATTICES.filter((_, i) => middle(mine.rounds, i) < ASKED);
    const shown = energies.map(({ mean, off }) => `${mean.toFixed(4)} (off by ${off.toFixed(1)} errors)`).join(" and ");
    return {
      text: `energies ${shown}${slow.length > 0 ? `; below ${ASKED} flips a nanosecond on ${slow.join(" and ")}` : ""}`,
      passed: slow.length === 0 && energies.every(({ off }) => Math.abs(off) < 5),
    };
  },
};
