/**
 * import: processor time of a Node process that imports `ergodic` and exits, including Node's own start. The peer is
 * the library as separate module files, as it was published before it was bundled. `loss` is the number of exported
 * names.
 */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transform } from "esbuild";

const src = fileURLToPath(new URL("../../packages/ergodic/src", import.meta.url));
const built = new URL("../../packages/ergodic/dist/entries/index.js", import.meta.url);

function contestant(name, file) {
  const code = `const all = await import(${JSON.stringify(file.href)});
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ value: (user + system) / 1000, loss: Object.keys(all).length }));`;
  return {
    name,
    round: async () => JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" })),
  };
}

/** Writes every module of the library as a separate script. */
async function writeModules(folder) {
  const files = await readdir(src, { recursive: true });
  const write = async (file) => {
    const { code } = await transform(await readFile(join(src, file), "utf8"), { loader: "ts", format: "esm", target: "es2023" });
    const to = join(folder, file.replace(/ts$/, "js"));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, code.replace(/((?:from|import)\s*\(?"\.[^"]*\.)ts"/g, '$1js"'));
  };
  await Promise.all(files.filter((file) => /\.[jt]s$/.test(file)).map(write));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
}

export default {
  name: "import",
  measures: "starting Node and importing ergodic",
  metric: "ms of processor time",
  better: "less",
  lossTolerance: 0,
  compare: (ours, theirs) => ({
    text: `${ours.loss} names are exported, of ${theirs.loss}`,
    passed: ours.loss === theirs.loss,
  }),
  makeData: (folder) => ({ folder }),
  ours: async () => contestant("as published", built),
  peers: ({ folder }) => [
    {
      name: "as its modules",
      goal: 2,
      async open() {
        await writeModules(folder);
        return contestant("as its modules", pathToFileURL(join(folder, "entries/index.js")));
      },
    },
  ],
};
