// Writes the runnable examples into the command's package as JavaScript, so that they also run on a Node that does not
// read TypeScript. Comments remain, because the examples are meant to be read.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import typescript from "typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = join(root, "examples");
const to = join(root, "packages/cli/dist/examples");

/** Examples as paths without their ending: "step-rules", "models/mixture". */
export function exampleNames() {
  return ["", "models/"].flatMap((folder) =>
    readdirSync(join(from, folder))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => folder + file.replace(/\.ts$/, "")),
  );
}

export function buildExamples() {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, "models"), { recursive: true });
  const { ModuleKind, ScriptTarget } = typescript;
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true };
  for (const name of exampleNames()) {
    const text = readFileSync(join(from, `${name}.ts`), "utf8");
    const { outputText } = typescript.transpileModule(text, { compilerOptions });
    // From dist/examples, the package's own data are two folders up.
    writeFileSync(join(to, `${name}.js`), outputText.replaceAll("../packages/cli/", "../../"));
  }
  for (const data of readdirSync(from).filter((file) => statSync(join(from, file)).isDirectory()))
    if (!/^(models|web-.*)$/.test(data)) cpSync(join(from, data), join(to, data), { recursive: true });
}
