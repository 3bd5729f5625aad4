/** A thousand damaged checkpoints. */
import { expect, it } from "vitest";
import { run } from "./checkpoints.ts";

it("damaged checkpoints are refused, or their runs end", async () => {
  const { cases, refused, accepted } = await run(1000, 1);
  expect(refused + accepted).toBe(cases);
  expect(refused).toBeGreaterThan(cases / 2);
});
