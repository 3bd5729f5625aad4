/** Servers in separate processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export interface OwnProcess {
  readonly child: ChildProcess;
  /** Next line of output, or undefined after the end. */
  line(): Promise<string | undefined>;
  /** Resolves once the process has ended. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

const all = new Set<ChildProcess>();
afterAll(() => {
  for (const child of all) child.kill("SIGKILL");
});

/** Starts a program in this folder. */
export function run(program: string, ...given: readonly (string | number)[]): OwnProcess {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...given.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
  all.add(child);
  const gone = once(child, "close");
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => (await lines.next()).value as string | undefined,
    async end(signal) {
      child.kill(signal);
      await gone;
      all.delete(child);
    },
  };
}

/** Starts a server of a folder. Resolves once it listens. */
export async function ownServer(models: string, port: number, drainMs = 0): Promise<OwnProcess & { url: string }> {
  const own = run("serving-child.mjs", models, port, drainMs);
  const url = await own.line();
  if (url === undefined) throw new Error("the server did not start");
  return { ...own, url };
}
