/**
 * The system's WebKit, the engine of Safari, in the GTK browser that comes with it, on a separate virtual display.
 *
 * Isolated pages have shared memory in Safari. WebKit for GTK supports it, too, but omits the global SharedArrayBuffer
 * by default.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { installed } from "./installed.ts";
import type { ToldBrowser } from "./told.ts";

const LIBRARIES = "/usr/lib";
const folders = existsSync(LIBRARIES) ? readdirSync(LIBRARIES).map((name) => join(LIBRARIES, name, "webkit2gtk-4.1")) : [];
const program = (): string | undefined => installed(["MiniBrowser"], folders);
const screen = (): string | undefined => installed(["Xvfb"]);

export const webkit: ToldBrowser = {
  name: "WebKit",
  absent() {
    if (!program()) return "WebKit is not installed (Debian: apt-get install libwebkit2gtk-4.1-0)";
    return screen() ? undefined : "Xvfb, a screen for WebKit, is not installed (Debian: apt-get install xvfb)";
  },
  async show(address, folder) {
    const shown = spawn(screen()!, ["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const env = {
      ...process.env,
      DISPLAY: `:${await displayOf(shown)}`,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      JSC_useSharedArrayBuffer: "1",
    };
    return [spawn(program()!, ["--private", address], { detached: true, stdio: "ignore", env }), shown];
  },
};

/** Number of the display that the X server picked. @throws if the server ends before */
async function displayOf(shown: ChildProcess): Promise<string> {
  const ended = once(shown, "exit").then(([code]) => {
    throw new Error(`Xvfb, WebKit's screen, ended with code ${code}`);
  });
  const [said] = (await Promise.race([once(shown.stdout!, "data"), ended])) as [Buffer];
  ended.catch(() => {});
  return said.toString().trim();
}
