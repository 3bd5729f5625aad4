/**
 * Memory that comes back: scripts/soak.mjs on ever new models. Short here; ERGODIC_SOAK=10 runs ten minutes of all kinds.
 *
 * What V8 keeps of a module that nobody holds is some 80 kB a network, so that 800 of them would be half of the process. The memory of a sound engine still grows by
 * 5 % between the 200th and the 500th, as V8 compiles and fills its spaces, and is level from there.
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
