/** What web developers build with: each makes a folder of static files, or a program of Node, of app.js. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const app = fileURLToPath(new URL("./app.js", import.meta.url));

/** A fresh project into which the package was installed as npm would publish it. */
export function freshProject(folder: string): void {
  const answer = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: join(root, "packages/ergodic"),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename }] = JSON.parse(answer) as [{ filename: string }];
  mkdirSync(join(folder, "node_modules/ergodic"), { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", join(folder, "node_modules/ergodic"), "--strip-components=1"]);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  cpSync(app, join(folder, "app.js"));
  writeFileSync(join(folder, "index.html"), '<!doctype html><meta charset=utf-8><script type="module" src="./app.js"></script>');
}

/** esbuild leaves workers as they are: the thread's program is an entry of its own. */
const serve = "ergodic/worker/serve";

export async function withEsbuild(folder: string, format: "esm" | "cjs" | "browser"): Promise<string> {
  const { build } = await import("esbuild");
  const out = join(folder, `esbuild-${format}`);
  const common = { absWorkingDir: folder, bundle: true, logLevel: "silent", outdir: out } as const;
  if (format === "browser") {
    await build({
      ...common,
      entryPoints: { app: "app.js", serve },
      format: "esm",
      splitting: true,
      minify: true,
      keepNames: true,
    });
    writeFileSync(
      join(out, "index.html"),
      '<!doctype html><script>given = { script: "serve.js" }</script><script type="module" src="app.js"></script>',
    );
    return out;
  }
  const ending = { ".js": format === "esm" ? ".mjs" : ".cjs" };
  await build({
    ...common,
    entryPoints: ["app.js"],
    platform: "node",
    format,
    outExtension: ending,
    logOverride: { "empty-import-meta": "silent" },
  });
  await build({ ...common, entryPoints: { serve }, platform: "node", format: "esm", outExtension: { ".js": ".mjs" } });
  return join(out, `app${ending[".js"]}`);
}

export async function withWebpack(folder: string): Promise<string> {
  const { default: webpack } = await import("webpack");
  const out = join(folder, "webpack");
  await new Promise<void>((resolve, reject) => {
    webpack(
      { mode: "production", context: folder, entry: "./app.js", output: { path: out, publicPath: "auto" }, performance: false },
      (error, stats) => {
        if (error || stats?.hasErrors()) reject(error ?? new Error(stats!.toString("errors-only")));
        else resolve();
      },
    );
  });
  writeFileSync(join(out, "index.html"), '<!doctype html><script src="main.js"></script>');
  return out;
}

export async function withVite(folder: string): Promise<string> {
  const { build } = await import("vite");
  const out = join(folder, "vite");
  await build({ root: folder, base: "./", configFile: false, logLevel: "error", build: { outDir: out, emptyOutDir: true } });
  return out;
}

/** Every file of a folder, by its path, as a server gives it. */
export function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}

/** So that bundlers of the workspace are found from a project elsewhere. */
export function linkTool(folder: string, name: string): void {
  const from = createRequire(import.meta.url)
    .resolve(`${name}/package.json`)
    .replace(/\/package\.json$/, "");
  symlinkSync(from, join(folder, "node_modules", name));
}
