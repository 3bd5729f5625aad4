/**
 * The web templates in examples/, as far as they need neither a browser nor React. templates.slow.test.ts tests both in
 * Chromium.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildTemplate, root, templateFolder } from "./templates/build.ts";

it("both templates train the same network on the same data", () => {
  const texts = ["web-vite", "web-react"].map((name) => readFileSync(join(root, `examples/${name}/src/spirals.ts`), "utf8"));
  expect(texts[1]).toBe(texts[0]);
});

describe("npm run template", () => {
  const script = join(root, "scripts/template.mjs");

  it.each(["web-vite", "web-react"])("copies %s, whose dependency is the packed library", (name) => {
    const parent = mkdtempSync(join(tmpdir(), "template-"));
    onTestFinished(() => rmSync(parent, { recursive: true }));
    const folder = join(parent, "my page");
    execFileSync(process.execPath, [script, name, folder]);
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const packed = join(folder, dependencies.ergodic.replace(/^file:/, ""));
    const settings = execFileSync("tar", ["-xzOf", packed, "package/package.json"], { encoding: "utf8" });
    expect(JSON.parse(settings).name).toBe("ergodic");
    expect(readdirSync(join(folder, "src"))).toContain("spirals.ts");
    const again = spawnSync(process.execPath, [script, name, folder], { encoding: "utf8" });
    expect(again.status).toBe(2);
    expect(again.stderr).toContain("is not empty");
  });

  it.each([[], ["web-vue", "x"], ["web-vite"], ["web-vite", "a", "b"]])("refuses %s %s %s", (...given: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...given], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("usage: npm run template -- NAME FOLDER");
  });
});

it("web-vite compiles and builds, with the library's kernels next to its page", async () => {
  const folder = templateFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dist = await buildTemplate(folder, "web-vite");
  expect(existsSync(join(dist, "index.html"))).toBe(true);
  const assets = readdirSync(join(dist, "assets"));
  expect(assets.some((name) => name.endsWith(".js"))).toBe(true);
});
