/**
 * The web templates in examples/, as far as they need neither a browser nor React. templates.slow.test.ts tests both in
 * Chromium.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildTemplate, root, templateFolder } from "./templates/build.ts";

it("both templates train the same network on the same data", () => {
  const texts = ["web-vite", "web-react"].map((name) => readFileSync(join(root, `examples/${name}/src/spirals.ts`), "utf8"));
  expect(texts[1]).toBe(texts[0]);
});

it("web-vite compiles and builds, with the library's kernels next to its page", async () => {
  const folder = templateFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dist = await buildTemplate(folder, "web-vite");
  expect(existsSync(join(dist, "index.html"))).toBe(true);
  const assets = readdirSync(join(dist, "assets"));
  expect(assets.some((name) => name.endsWith(".js"))).toBe(true);
});
