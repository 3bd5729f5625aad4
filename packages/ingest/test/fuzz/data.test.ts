import { expect, test } from "vitest";
import { reportMemory } from "../../../ergodic/test/fuzz/cost.ts";
import { run, targets } from "./data.ts";

test("undamaged files are read", async () => {
  for (const { name, bytes, seal, read } of targets)
    await expect(read(seal === undefined ? bytes : seal(bytes)), name).resolves.not.toThrow();
});

test("damaged data files are read or refused with a typed error, each within two seconds", async () => {
  const { cases, refused, accepted } = await run(
    Number(process.env.ERGODIC_FUZZ_CASES ?? 1000),
    Number(process.env.ERGODIC_FUZZ_SEED ?? 20_000),
  );
  reportMemory();
  expect(refused + accepted).toBe(cases);
  // Some changes are harmless, and some are not.
  if (cases < 1000) return;
  expect(refused).toBeGreaterThan(300);
  expect(accepted).toBeGreaterThan(50);
});

test("a case is reproduced by its own seed", async () => {
  const whole = await run(20, 7);
  let refused = 0;
  for (let i = 0; i < 20; i++) refused += (await run(1, 7 + i)).refused;
  expect(refused).toBe(whole.refused);
});
