/** `--offset`: an exposure in training and in predicted rows, and the error for a missing column. */
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";

const file = temporary();
const rows = Array.from({ length: 200 }, (_, i) => {
  const [age, exposure] = [Math.sin(i), 0.1 + (i % 9)];
  return { age, logExposure: Math.log(exposure), claims: Math.floor(Math.exp(0.5 * age) * exposure + ((i * 37) % 100) / 100) };
});
const csv = (name: string, some: readonly object[]): string => {
  const path = file(name);
  writeFileSync(path, [Object.keys(some[0]).join(","), ...some.map((row) => Object.values(row).join(","))].join("\n"));
  return path;
};

it("trains and predicts with an offset, and refuses a missing column", async () => {
  const [data, model] = [csv("policies.csv", rows), file("m.safetensors")];
  const asked = ["--target", "claims", "--loss", "poisson", "--seed", "1", "--epochs", "40", "--quiet"];
  await works("train", data, ...asked, "--offset", "logExposure", "--out", model);
  const predicted = async (logExposure: number): Promise<number> => {
    const { stdout } = await works("predict", model, csv("new.csv", [{ logExposure, age: 0.3 }]), "--format", "csv");
    return Number(stdout.trim().split("\n").at(-1)!.split(",")[0]);
  };
  const [one, two] = [await predicted(0), await predicted(Math.log(2))];
  expect(two / one).toBeCloseTo(2, 4);
  const lacking = await ergodic("predict", model, csv("lacking.csv", [{ age: 0.3 }]));
  expect(lacking.code).toBe(1);
  expect(lacking.stderr).toMatch(/has no offset column "logExposure"/);
  const none = await ergodic("train", data, ...asked, "--offset", "exposure");
  expect(none.code).toBe(2);
  expect(none.stderr).toMatch(/--offset/);
});
