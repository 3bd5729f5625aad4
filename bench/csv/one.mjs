/**
 * Our side of the csv cases as a whole process: `node one.mjs '{"train","test","epochs","seed","engine"}'` prints its
 * log loss, processor seconds and peak memory.
 */

import { readCsv } from "@ergodic/ingest";
import { fit, linear } from "ergodic";

const { train, test, epochs, seed, engine } = JSON.parse(process.argv[2]);
const data = await readCsv(train, { target: "y", engine });
const model = await fit(linear({ loss: "logistic" }), data, { epochs, seed });
const { logLoss } = model.evaluate(await readCsv(test, { like: data, engine }));
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ loss: logLoss, seconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 }));
process.exit(0);
