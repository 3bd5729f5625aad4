/**
 * A learner that is killed at any moment loses nothing that it confirmed, learns no repeated request twice, and leaves
 * nothing half-written.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLearner } from "@ergodic/serve";
import { adagrad, Dataset, fit, linear } from "ergodic";
import { expect, test } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { LearningRun } from "../../src/learn/run.ts";

const child = fileURLToPath(new URL("learning-child.mjs", import.meta.url));
/** Three rounds have each journal size and each number of requests in flight once, and nine have all their pairs. */
const ROUNDS = Number(process.env.ERGODIC_KILLS ?? power(3, 9));
const [JOURNAL_BYTES, IN_FLIGHT] = [
  [300, 3000, 30_000],
  [1, 4, 64],
];

/** The same rows as in the child process. */
function request(v: number): { rows: number[][]; targets: string[] } {
  const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
  const rows = Array.from({ length: 1 + (v % 5) }, (_, k) => [0, 1, 2].map((j) => number(v * 15 + k * 3 + j)));
  return { rows, targets: rows.map(([a, b]) => (a! - b! > 0 ? "yes" : "no")) };
}

/** Output of the child until it was killed, the given number of milliseconds after its first request. */
function killed(folder: string, journalBytes: number, inFlight: number, afterMs: number): Promise<string[]> {
  const process_ = spawn(process.execPath, [child, folder, String(journalBytes), String(inFlight)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  process_.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes("done")) timer ??= setTimeout(() => process_.kill("SIGKILL"), afterMs);
  });
  return new Promise((resolve) =>
    process_.once("close", () => {
      clearTimeout(timer);
      resolve(said.split("\n").slice(0, -1));
    }),
  );
}

/** Expected state: the same operations on an uninterrupted run. */
class Twin {
  readonly learning: LearningRun;
  readonly states = new Map<number, Uint8Array>();
  readonly operations = new Map<number, [string, number]>();
  version = 0;

  constructor(learning: LearningRun) {
    this.learning = learning;
    this.states.set(0, learning.run.checkpoint());
  }

  async at(version: number): Promise<Uint8Array> {
    while (this.version < version) {
      const [what, which] = this.operations.get(++this.version)!;
      if (what === "rollback") await this.learning.run.restore(this.states.get(which)!);
      else {
        const { rows, targets } = request(which);
        await this.learning.learn(this.learning.read(rows, targets));
      }
      this.states.set(this.version, this.learning.run.checkpoint());
    }
    return this.learning.run.predictor().toBytes();
  }
}

test(`loses nothing confirmed when killed ${ROUNDS} times during its work`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "killed-"));
  const rule = adagrad({ rate: 0.1 });
  const { rows, targets } = request(4);
  const model = await fit(
    linear({ loss: "logistic" }),
    Dataset.fromArrays({ x: [...rows, [1, 0, 0], [0, 1, 0]], y: [...targets, "yes", "no"] }),
  );
  await (await openLearner({ folder, model, rule, keep: 4 })).close();
  const twin = new Twin(await LearningRun.begin(model, { rule }));
  let [confirmed, beyond, snapshots, repeated, again] = [0, 0, 0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const inFlight = IN_FLIGHT[(round + Math.floor(round / 3)) % 3]!;
    const said = await killed(folder, JOURNAL_BYTES[round % 3]!, inFlight, Math.random() * 300);
    let told = twin.version;
    /** Whether it was learnt or not, no answer was sent. */
    const open = new Map<number, { which: number; idempotencyKey: string }>();
    for (const line of said) {
      const [what, version, operation, which, key] = line.split(" ");
      if (what === "done") {
        told = Math.max(told, Number(version));
        open.delete(Number(version));
      } else {
        twin.operations.set(Number(version), [operation!, Number(which)]);
        if (operation === "learn") open.set(Number(version), { which: Number(which), idempotencyKey: key! });
      }
    }
    const learner = await openLearner({ folder, keep: 4 });
    const { version, recovered } = learner.stats();
    expect(version, said.slice(-5).join("\n")).toBeGreaterThanOrEqual(told);
    expect(Buffer.from(learner.current().toBytes()).equals(await twin.at(version)), `version ${version}`).toBe(true);
    expect(recovered.droppedBytes).toBeGreaterThanOrEqual(0);
    for (const [tried, { which, idempotencyKey }] of open) {
      const { rows, targets } = request(which);
      const before = learner.stats().version;
      const answer = await learner.learn(rows, targets, { idempotencyKey });
      if (tried <= version) expect([answer.version, answer.rows, learner.stats().version]).toEqual([tried, rows.length, before]);
      else {
        expect(answer.version).toBe(before + 1);
        twin.operations.set(answer.version, ["learn", which]);
      }
      if (tried <= version) repeated++;
      else again++;
    }
    expect(Buffer.from(learner.current().toBytes()).equals(await twin.at(learner.stats().version))).toBe(true);
    confirmed += told;
    beyond += version - told;
    snapshots += learner.versions().length - 1;
    await learner.close();
    const strange = readdirSync(folder).filter((name) => !/^(\d{16}-\d{6}\.(snapshot|journal)|term-\d{6})$/.test(name));
    expect(strange).toEqual([]);
  }
  expect(confirmed).toBeGreaterThan(ROUNDS);
  expect(snapshots).toBeGreaterThan(0);
  expect(repeated + again).toBeGreaterThan(0);
  if (process.env.ERGODIC_KILLS) console.log({ version: twin.version, confirmed, beyond, snapshots, repeated, again });
  rmSync(folder, { recursive: true });
});
