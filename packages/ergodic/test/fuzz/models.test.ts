/** A thousand damaged model files. */
import { expect, it } from "vitest";
import { run } from "./models.ts";

it("damaged model files are refused, or predict numbers", async () => {
  const { cases, refused, accepted } = await run(1000, 1);
  expect(refused + accepted).toBe(cases);
  expect(refused).toBeGreaterThan(cases / 2);
});
