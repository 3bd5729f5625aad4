/** The web templates in examples/, each copied into a separate project with the package as npm publishes it. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { freshProject } from "../bundlers/bundlers.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A folder from which the repository's tools can be resolved. Remove it at the end. */
export function templateFolder(): string {
  const folder = mkdtempSync(join(root, "node_modules/.templates-"));
  freshProject(folder);
  return folder;
}

/**
 * Type-checks a template, builds its page with Vite and returns the folder of the built page. `modules`: additional
 * packages.
 */
export async function buildTemplate(folder: string, template: string, modules?: string): Promise<string> {
  const project = join(folder, template);
  const own = (path: string): boolean => !/\/(node_modules|dist)$/.test(path);
  cpSync(join(root, "examples", template), project, { recursive: true, filter: own });
  if (modules) symlinkSync(modules, join(project, "node_modules"));
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], { stdio: "inherit" });
  await build({ root: project, logLevel: "error" });
  return join(project, "dist");
}
