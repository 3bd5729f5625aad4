/**
 * Memory is freed again: scripts/soak.mjs on a sequence of new models. The test is short, and ERGODIC_SOAK=10 runs all
 * kinds for ten minutes.
 *
 * V8 retains some 80 kB per network for an unreferenced module, so 800 networks would take half of the process. The
 * memory of a sound engine still grows by 5 % between the 200th and the 500th network, while V8 compiles and fills its
 * spaces, and is constant after that.
 */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

const minutes = process.env.ERGODIC_SOAK;

it("memory returns to its level after hundreds of different networks, and retained networks still work", () => {
  const work = minutes ? ["--minutes", minutes] : ["--kinds", "network", "--models", "1400", "--first", "600", "--held", "100"];
  const output = execFileSync(process.execPath, ["--expose-gc", "scripts/soak.mjs", "--json", ...work], {
    encoding: "utf8",
    timeout: 60_000 * (Number(minutes ?? 0) + 10),
  });
  const { wrong, held, ratio } = JSON.parse(output);
  expect(held).toBeGreaterThanOrEqual(110);
  expect(wrong).toBe(0);
  expect(ratio).toBeLessThanOrEqual(1.1);
});
