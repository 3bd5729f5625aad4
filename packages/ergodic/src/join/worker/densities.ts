/** Sends densities of models from a page to the thread and names their draws. Loaded with the first model. */
export { checkModeOptions, withValues } from "../../bayes/mode/mode.ts";
export { modeTarget, portableMode } from "../../bayes/mode/mode-target.ts";
export { portableOf } from "../../bayes/model/portable.ts";
export { drawsOf } from "../../bayes/named-draws.ts";
export { ChainDraws } from "../../bayes/samplers/index.ts";
export { startOf } from "../../bayes/starts.ts";
export { openEngine } from "../../engine/memory/engine.ts";
