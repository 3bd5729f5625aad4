// Opens a folder, and learns a row for each line that it is sent.
import { createInterface } from "node:readline";
import { openLearner } from "@ergodic/serve";

const learner = await openLearner({ folder: process.argv[2] });
console.log(`open ${learner.stats().version}`);
let of = 0;
/** @param {number} i */
const number = (i) => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
for await (const _ of createInterface({ input: process.stdin })) {
  of++;
  const row = [number(3 * of), number(3 * of + 1), number(3 * of + 2)];
  const { version } = await learner.learn([row], [row[0] > row[1] ? "yes" : "no"]);
  console.log(`learnt ${version}`);
}
await learner.close();
