/**
 * What one observation tells about another: a wet lawn makes rain likely; that the sprinkler was on explains the wet lawn, and makes rain unlikely again, though
 * rain and sprinkler have nothing to do with each other.
 *
 * A Bayesian network of five variables: a factor for each, its probabilities given its parents. `infer` sums over all joint states, exactly.
 *
 * Run: ergodic example explaining-away
 */
import { fileURLToPath } from "node:url";
import { type Evidence, type FactorGraph, factorGraph, infer } from "ergodic";

const yesNo = ["no", "yes"];

export function lawn(): FactorGraph {
  const graph = factorGraph();
  for (const name of ["clouds", "rain", "sprinkler", "wet", "slippery"]) graph.variable(name, yesNo);
  // The last variable is the one whose probabilities these are: each row is a state of the others, and sums to 1.
  graph.table(["clouds"], [0.6, 0.4]);
  graph.table(
    ["clouds", "rain"],
    [
      [0.95, 0.05],
      [0.4, 0.6],
    ],
  );
  graph.table(["sprinkler"], [0.7, 0.3]);
  graph.table(
    ["rain", "sprinkler", "wet"],
    [
      [
        [0.99, 0.01],
        [0.1, 0.9],
      ],
      [
        [0.15, 0.85],
        [0.01, 0.99],
      ],
    ],
  );
  graph.table(
    ["wet", "slippery"],
    [
      [0.98, 0.02],
      [0.35, 0.65],
    ],
  );
  return graph;
}

export interface Belief {
  seen: string;
  /** P(rain | what was seen). */
  rain: number;
  /** P(what was seen). */
  evidence: number;
}

export async function main(print: (line: string) => void = console.log): Promise<Belief[]> {
  const graph = lawn();
  print(String(graph));
  const cases: [string, Evidence][] = [
    ["nothing", {}],
    ["a wet lawn", { wet: "yes" }],
    ["a wet lawn, and the sprinkler on", { wet: "yes", sprinkler: "yes" }],
    ["a wet lawn, and the sprinkler off", { wet: "yes", sprinkler: "no" }],
    ["the sprinkler on", { sprinkler: "yes" }],
    // How likely each state of "clouds" makes the forecast, rather than a state that was seen.
    ["a wet lawn, the sprinkler on, a forecast of clouds", { wet: "yes", sprinkler: "yes", clouds: [0.2, 0.8] }],
  ];
  const beliefs: Belief[] = [];
  for (const [seen, evidence] of cases) {
    const answer = await infer(graph, { evidence });
    const belief = { seen, rain: answer.marginal("rain").p[1], evidence: Math.exp(answer.logZ) };
    beliefs.push(belief);
    print(`${seen.padEnd(52)}P(rain) = ${belief.rain.toFixed(3)}`);
  }
  const best = await infer(graph, { task: "map", evidence: { slippery: "yes" } });
  print(`a slippery lawn is best explained by ${best.variables.map((name) => `${name} ${best.state(name)}`).join(", ")}`);
  return beliefs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
