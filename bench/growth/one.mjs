/**
 * One family at one size, in a separate process: `node one.mjs FAMILY SIZE` prints the processor milliseconds of its
 * work and the peak increase of memory in MiB. If the work resolves to a number, this is the number of its gradients,
 * and otherwise `gradients` is 1. Further pairs of arguments are measured in the same process, each with a line of its
 * own.
 */
import { families } from "./families.mjs";

const given = process.argv.slice(2);
for (let i = 0; i < given.length; i += 2) {
  const [name, size] = given.slice(i);
  const work = await families[name].open(Number(size));
  const before = process.resourceUsage().maxRSS;
  const start = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(start);
  const mebibytes = (process.resourceUsage().maxRSS - before) / 1024;
  console.log(
    JSON.stringify({ milliseconds: (user + system) / 1000, mebibytes, gradients: typeof result === "number" ? result : 1 }),
  );
}
process.exit(0);
