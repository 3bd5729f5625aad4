import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Returns the path of a program with one of these names in /usr/bin, on the PATH or in one of these folders. */
export function installed(names: readonly string[], folders: readonly string[] = []): string | undefined {
  const all = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter), ...folders];
  return all.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}
