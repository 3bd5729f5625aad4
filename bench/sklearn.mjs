/** scikit-learn as a contestant on a logistic problem: see peers/sklearn_logistic.py. */
import { join } from "node:path";
import { share } from "./data.mjs";
import { logisticObjective } from "./objective.mjs";
import { openPeer, readNumbers } from "./peer.mjs";

/** Returns `run(options)` → { seconds, weights, intercept, loss }, `version` and `close`. We compute the loss. */
export async function openSklearn(folder, problem, l2) {
  const peer = await openPeer("sklearn_logistic.py", { ...share(folder, problem), l2 });
  const file = join(folder, `sklearn-${process.pid}-${(opened += 1)}.raw`);
  return {
    version: peer.version,
    close: peer.close,
    async run(options) {
      const answer = await peer.run({ ...options, weights: file });
      const numbers = readNumbers(file);
      const weights = numbers.subarray(0, -1);
      const intercept = numbers[numbers.length - 1];
      const loss = logisticObjective(problem, l2, weights, intercept);
      if (!(Math.abs(loss - answer.loss) <= 1e-9 * Math.abs(loss))) {
        throw new Error(
          `the peer's own objective is ${answer.loss}, but its weights give ${loss} here: the two sides hold different data`,
        );
      }
      return { seconds: answer.seconds, weights, intercept, loss };
    },
  };
}

let opened = 0;
