/** Reserves the names of all step rules, in programs that are not bundled. Bundlers leave this module out. */
import { reserveRules } from "./index.ts";

reserveRules();
