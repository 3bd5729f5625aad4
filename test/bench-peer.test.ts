/**
 * The benchmarks' driver of peers, bench/peer.mjs with bench/peers/lines.mjs: answers, missing packages and crashing
 * peers.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

/** Imported by a variable path, because the benchmarks are plain JavaScript outside the typed sources. */
const benchModule = (name: string) => import(/* @vite-ignore */ new URL(`../bench/${name}.mjs`, import.meta.url).href);

describe("bench/peer.mjs", () => {
  const lines = new URL("../bench/peers/lines.mjs", import.meta.url).href;

  /** A Node peer for the runner: `body` follows the import of lines.mjs. */
  async function opened<T>(body: string, use: (open: () => Promise<Peer>, Skipped: new () => Error) => Promise<T>): Promise<T> {
    const { openPeer, Skipped } = await benchModule("peer");
    const folder = mkdtempSync(join(tmpdir(), "ergodic-peer-"));
    try {
      const script = join(folder, "peer.mjs");
      writeFileSync(script, `import { packages, problem, serve } from ${JSON.stringify(lines)};\n${body}`);
      return await use(() => openPeer(pathToFileURL(script).href, { factor: 3 }), Skipped);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  interface Peer {
    version: string;
    run(options?: object): Promise<unknown>;
    close(): Promise<void>;
  }

  test("a Node peer reads its problem and answers runs in order, and its log output is ignored", async () => {
    const body = `await serve("echo 1", async ({ x = 1 }) => (console.log("noise"), { value: problem.factor * x }));`;
    await opened(body, async (open) => {
      const peer = await open();
      expect(peer.version).toMatch(/^echo 1 on node \d+\.\d+\.\d+$/);
      expect(await peer.run({ x: 14 })).toEqual({ value: 42 });
      expect(await peer.run()).toEqual({ value: 3 });
      await peer.close();
    });
  });

  test("a missing package skips the peer and is named", async () => {
    await opened(`await packages("node:fs", "ergodic-no-such-package");`, async (open, Skipped) => {
      const failed = open();
      await expect(failed).rejects.toBeInstanceOf(Skipped);
      await expect(failed).rejects.toThrow("Node lacks ergodic-no-such-package; install the peers with bench/peers/install.sh");
    });
  });

  test("a crashed peer is a failure, not skipped", async () => {
    await opened(`await serve("broken 1", () => { process.exit(7); });`, async (open, Skipped) => {
      const peer = await open();
      const failed = peer.run();
      await expect(failed).rejects.toThrow("ended with exit code 7");
      await expect(failed).rejects.not.toBeInstanceOf(Skipped);
    });
  });
});

describe("bench/networks.mjs", () => {
  const side = (loss: number | undefined, firstLoss: number) => ({ loss, rounds: [{ firstLoss }, { firstLoss: 9 }] });

  test("trainings must end at the same loss, or begin at it if a side did not train on all rows", async () => {
    const { compareTrainings } = await benchModule("networks");
    const compare = compareTrainings(0.01);
    expect(compare(side(1.0099, 5), side(1, 6))).toEqual({
      text: "loss 1.009900 against 1.000000 (may differ by 1 %)",
      passed: true,
    });
    // A better loss is as suspicious as a worse one, because both sides do the same arithmetic.
    for (const loss of [1.0101, 0.9899, NaN]) expect(compare(side(loss, 5), side(1, 5)).passed).toBe(false);
    expect(compare(side(1, 5.04), side(undefined, 5))).toEqual({
      text: "first loss 5.040000 against 5.000000 (may differ by 1 %)",
      passed: true,
    });
    expect(compare(side(1, 5.06), side(undefined, 5)).passed).toBe(false);
  });

  test("the gradient problem is the same each time, and its classes are 0 and 1", async () => {
    const { gradientProblem } = await benchModule("networks");
    const problem = gradientProblem();
    expect(problem).toEqual(gradientProblem());
    expect([problem.x.length, problem.y.length, problem.w.length]).toEqual([1000, 100, 10]);
    expect(new Set(problem.y)).toEqual(new Set([0, 1]));
  });
});
