/** `@ergodic/ingest/graphs`: readers and writers of factor graphs. */
export { readBif, writeBif } from "./bif.ts";
export { type DimmWittedFiles, readDimmWitted } from "./dimmwitted.ts";
export { type DimmWittedOptions, writeDimmWitted } from "./dimmwitted-write.ts";
export { readGraphJson, writeGraphJson } from "./json.ts";
export { readLibdai } from "./libdai.ts";
export {
  readUai,
  readUaiEvidence,
  type UaiEvidence,
  type UaiOptions,
  writeUai,
  writeUaiAnswer,
  writeUaiEvidence,
} from "./uai.ts";
