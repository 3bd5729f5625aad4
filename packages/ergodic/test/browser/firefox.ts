/** The system's Firefox, whose engine is SpiderMonkey. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installed } from "./installed.ts";
import type { ToldBrowser } from "./told.ts";

const program = (): string | undefined => installed(["firefox-esr", "firefox"]);

/** Prevents Firefox from fetching anything that the test did not request and from showing its own pages. */
const PREFERENCES = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "http://127.0.0.1:9/",
  "toolkit.telemetry.enabled": false,
};

export const firefox: ToldBrowser = {
  name: "Firefox",
  absent: () => (program() ? undefined : "Firefox is not installed (Debian: apt-get install firefox-esr)"),
  async show(address, profile) {
    const preferences = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
    await writeFile(join(profile, "user.js"), preferences.join("\n"));
    const options = { detached: true, stdio: "ignore" } as const;
    return [spawn(program()!, ["--headless", "--no-remote", "--profile", profile, address], options)];
  },
};
