/** Common bundlers. Each builds a folder of static files, or a Node program, from threaded.js. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const own = fileURLToPath(new URL("./", import.meta.url));

/** Code that users write. */
export const programs = ["app.js", "plain.js", "threaded.js", "objective.js"];

/** A page with one module. */
export const page = (script: string): string =>
  `<!doctype html><meta charset=utf-8><title>Ergodic</title><link rel=icon href=data:,><script type="module" src="${script}"></script>`;

/** Packs the package as npm would publish it into `folder` and returns the path of the file. */
function pack(folder: string): string {
  const answer = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: join(root, "packages/ergodic"),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return join(folder, (JSON.parse(answer) as [{ filename: string }])[0].filename);
}

/** Makes a fresh project, installs the packed package and returns the path of the packed file. */
export function freshProject(folder: string): string {
  const tarball = pack(folder);
  mkdirSync(join(folder, "node_modules/ergodic"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", join(folder, "node_modules/ergodic"), "--strip-components=1"]);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  for (const file of programs) cpSync(join(own, file), join(folder, file));
  writeFileSync(join(folder, "index.html"), page("./threaded.js"));
  return tarball;
}

/** Results of threaded.js. plain.js returns the part without a thread. */
export interface Outcome {
  trained: number[];
  read: number[];
  mu: number;
  raced: number;
  remote: number[];
  asked: number;
  least: number[];
}

/** Runs a program in Node and returns its results. `given`: its settings. */
export function runInNode(program: string, given: object = {}): Outcome {
  const code = `globalThis.given = ${JSON.stringify(given)}; await import(${JSON.stringify(pathToFileURL(program).href)}); console.log(JSON.stringify(await globalThis.outcome));`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8", timeout: 60_000 });
  return JSON.parse(printed.trim().split("\n").at(-1)!) as Outcome;
}

/** esbuild does not bundle workers: the programs of threads are separate entries, and a user's module is copied. */
const threads = { serve: "ergodic/worker/serve", predict: "ergodic/predict/serve" };

export async function withEsbuild(folder: string, format: "esm" | "cjs" | "browser"): Promise<string> {
  const { build } = await import("esbuild");
  const out = join(folder, `esbuild-${format}`);
  const common = { absWorkingDir: folder, bundle: true, logLevel: "silent", outdir: out } as const;
  if (format === "browser") {
    await build({
      ...common,
      entryPoints: { threaded: "threaded.js", ...threads },
      format: "esm",
      splitting: true,
      minify: true,
      keepNames: true,
    });
    cpSync(join(folder, "objective.js"), join(out, "objective.js"));
    writeFileSync(
      join(out, "index.html"),
      `<script>given = { script: "serve.js", predictScript: "predict.js" }</script>${page("threaded.js")}`,
    );
    return out;
  }
  const ending = { ".js": format === "esm" ? ".mjs" : ".cjs" };
  await build({
    ...common,
    entryPoints: ["threaded.js"],
    platform: "node",
    format,
    outExtension: ending,
    logOverride: { "empty-import-meta": "silent" },
  });
  await build({ ...common, entryPoints: threads, platform: "node", format: "esm", outExtension: { ".js": ".mjs" } });
  return join(out, `threaded${ending[".js"]}`);
}

export async function withWebpack(folder: string): Promise<string> {
  const { default: webpack } = await import("webpack");
  const out = join(folder, "webpack");
  await new Promise<void>((resolve, reject) => {
    webpack(
      {
        mode: "production",
        context: folder,
        entry: "./threaded.js",
        output: { path: out, publicPath: "auto" },
        performance: false,
      },
      (error, stats) => {
        if (error || stats?.hasErrors()) reject(error ?? new Error(stats!.toString("errors-only")));
        else resolve();
      },
    );
  });
  writeFileSync(join(out, "index.html"), page("main.js"));
  return out;
}

export async function withVite(folder: string): Promise<string> {
  const { build } = await import("vite");
  const out = join(folder, "vite");
  await build({ root: folder, base: "./", configFile: false, logLevel: "error", build: { outDir: out, emptyOutDir: true } });
  return out;
}

/** Every file of a folder by the path under which a server serves it. */
export function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}
