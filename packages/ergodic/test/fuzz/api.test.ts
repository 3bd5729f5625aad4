/** 500 random calls. `npm run fuzz` makes many more. */
import { expect, it } from "vitest";
import { run } from "./api.ts";
import { reportMemory } from "./cost.ts";

const CASES = Number(process.env.ERGODIC_FUZZ_CASES ?? 500);

it("invalid calls are refused with a typed error, and valid calls succeed", async () => {
  const { cases, refused, accepted } = await run(CASES, Number(process.env.ERGODIC_FUZZ_SEED ?? 1));
  reportMemory();
  expect(cases).toBe(refused + accepted);
  // If all or no calls were refused, the test would try nothing.
  expect(refused).toBeGreaterThan(0.3 * cases);
  expect(accepted).toBeGreaterThan(0.03 * cases);
});
