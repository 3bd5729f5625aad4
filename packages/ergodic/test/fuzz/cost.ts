/**
 * What one damaged file or wrong call may cost: more processor time is a hang, and more memory is a claim that was believed. The most memory that the
 * process ever held is the system's own figure, so that what was given back within the case counts as well.
 */
const LIMITS = { seconds: 2, mebibytes: 256 };

const mostEver = (): number => process.resourceUsage().maxRSS / 2 ** 10;
const first = mostEver();

/** Begins a case; what it gives is called when the case has ended, and tells what was too much, if anything was. */
export function begin(limits: Partial<typeof LIMITS> = {}): () => string | undefined {
  const { seconds, mebibytes } = { ...LIMITS, ...limits };
  const before = { cpu: process.cpuUsage(), memory: mostEver() };
  return () => {
    const { user, system } = process.cpuUsage(before.cpu);
    const spent = (user + system) / 1e6;
    if (spent > seconds) return `took ${spent.toFixed(1)} s of processor time, where ${seconds} are allowed`;
    const grown = mostEver() - before.memory;
    return grown > mebibytes ? `took ${grown.toFixed(0)} MiB of memory, where ${mebibytes} are allowed` : undefined;
  };
}

/** The line that `npm run fuzz` reads: by how much the most memory of this process has grown since this module was loaded. */
export function reportMemory(): void {
  console.log(`memory: ${(mostEver() - first).toFixed(0)} MiB`);
}
