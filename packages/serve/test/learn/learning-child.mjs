// Learns until it is killed, and says what it is about to do and what it was told: `try VERSION OPERATION WHICH [KEY]`, `done VERSION`.
import { writeSync } from "node:fs";
import { openLearner } from "@ergodic/serve";

const [, , folder, journalBytes, inFlight] = process.argv;
const learner = await openLearner({ folder, journalBytes: Number(journalBytes), keep: 4 });
let version = learner.stats().version;

/** The same rows for the same version, whoever asks. @param {number} v */
const request = (v) => {
  /** @param {number} i */
  const number = (i) => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
  const rows = Array.from({ length: 1 + (v % 5) }, (_, k) => [0, 1, 2].map((j) => number(v * 15 + k * 3 + j)));
  return { rows, targets: rows.map(([a, b]) => (a - b > 0 ? "yes" : "no")) };
};

async function once() {
  const next = ++version;
  const kept = learner.versions();
  if (next % 23 === 0) {
    const to = kept[next % kept.length].version;
    writeSync(1, `try ${next} rollback ${to}\n`);
    const told = await learner.rollback(to).catch(() => undefined);
    // It may have gone meanwhile, so that those that follow have other numbers than were said: begin anew.
    if (!told) process.exit(3);
    writeSync(1, `done ${told.version}\n`);
    return;
  }
  const idempotencyKey = `${process.pid}-${next}`;
  writeSync(1, `try ${next} learn ${next} ${idempotencyKey}\n`);
  const { rows, targets } = request(next);
  const told = await learner.learn(rows, targets, { idempotencyKey });
  writeSync(1, `done ${told.version}\n`);
}

await Promise.all(
  Array.from({ length: Number(inFlight) }, async () => {
    for (;;) await once();
  }),
);
