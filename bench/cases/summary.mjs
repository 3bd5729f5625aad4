/**
 * summary: ms per quantity for a posterior's table of 200 quantities with 4 chains of 1000 draws: mean, sd, their Monte
 * Carlo errors, three quantiles, bulk and tail ESS, R-hat and Pareto k.
 *
 * Both sides have the draws in memory. The tables must agree to 1e-8 in every number.
 */
import { join } from "node:path";
import { share } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { openPeer, readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const QUANTITIES = sized(200, 10);
const CHAINS = 4;
const COUNT = sized(1000, 100);
const TOLERANCE = 1e-8;
/** The peer's columns, in its order. */
const COLUMNS = [
  (row) => row.mean,
  (row) => row.sd,
  (row) => row.mcseMean,
  (row) => row.mcseSd,
  (row) => row.quantiles.q5,
  (row) => row.quantiles.q50,
  (row) => row.quantiles.q95,
  (row) => row.essBulk,
  (row) => row.essTail,
  (row) => row.rhat,
  (row) => row.paretoK,
];

/** Autoregressive chains with different speeds, some of them skewed; ordered by quantity, then by chain. */
async function makeData(folder) {
  const { stream } = await openErgodic();
  const draws = new Float64Array(QUANTITIES * CHAINS * COUNT);
  for (let j = 0, at = 0; j < QUANTITIES; j++) {
    const phi = 0.9 * (j / QUANTITIES);
    for (let chain = 0; chain < CHAINS; chain++) {
      const noise = stream(1, "summary", j * CHAINS + chain).at(0);
      for (let t = 0, x = noise.normal(); t < COUNT; t++) {
        x = phi * x + Math.sqrt(1 - phi * phi) * noise.normal();
        draws[at++] = j % 5 === 0 ? Math.exp(x / 4) : x;
      }
    }
  }
  const problem = { quantities: QUANTITIES, chains: CHAINS, count: COUNT, draws };
  return { draws, folder, shared: share(folder, problem) };
}

async function ours({ draws }) {
  const { Draws } = await openErgodic();
  const rows = CHAINS * COUNT;
  const values = new Float64Array(draws.length);
  for (let j = 0; j < QUANTITIES; j++) for (let k = 0; k < rows; k++) values[k * QUANTITIES + j] = draws[j * rows + k];
  const content = {
    chains: CHAINS,
    count: COUNT,
    quantities: [{ name: "x", shape: [QUANTITIES], kind: "parameter" }],
    values: { x: values },
    fields: [],
    transitions: new Float64Array(0),
    description: {},
    report: {},
  };
  return {
    name: "ergodic summary()",
    async round() {
      // New draws, because draws cache their table.
      const posterior = new Draws(content);
      const start = performance.now();
      const table = Object.values(posterior.summary());
      const value = (performance.now() - start) / QUANTITIES;
      return { value, table: COLUMNS.flatMap((of) => table.map(of)) };
    },
  };
}

const peers = ({ folder, shared }) => [
  {
    name: "posterior",
    goal: 10,
    async open() {
      const peer = await openPeer("posterior_summary.R", shared);
      const file = join(folder, "table");
      return {
        name: `${peer.version} summarise_draws`,
        async round() {
          const { seconds } = await peer.run({ file });
          return { value: (1000 * seconds) / QUANTITIES, table: readNumbers(file) };
        },
        close: () => peer.close(),
      };
    },
  },
];

/** Errors that are unreliable because of heavy tails are numbers in the peer's table and NaN in ours. */
function compare(ours, theirs) {
  const [found, wanted] = [ours, theirs].map(({ rounds }) => rounds[0].table);
  let worst = found.length === wanted.length ? 0 : Infinity;
  let told = 0;
  for (let i = 0; i < found.length; i++) {
    if (Number.isNaN(found[i])) continue;
    told++;
    worst = Math.max(worst, Math.abs(found[i] - wanted[i]) / Math.abs(wanted[i]));
  }
  return {
    text: `the ${told} numbers of the tables differ by ${worst.toExponential(1)} at most (may be ${TOLERANCE})`,
    passed: worst <= TOLERANCE && told > 0.9 * wanted.length,
  };
}

export default {
  name: "summary",
  measures: "the table of a posterior of 200 quantities, 4 chains of 1000 draws: ms a quantity",
  metric: "ms a quantity",
  better: "less",
  makeData,
  ours,
  peers,
  compare,
};
