/**
 * Limits on the cost of one damaged file or wrong call. Too much processor time is a hang, and too much memory is an
 * unchecked claim. The peak memory of the process comes from the system, so memory that a case freed also counts.
 */
const LIMITS = { seconds: 2, mebibytes: 256 };

const mostEver = (): number => process.resourceUsage().maxRSS / 2 ** 10;
const first = mostEver();

/**
 * Begins a case. The returned function is called when the case has ended and describes what exceeded the limits, if
 * anything.
 */
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

/** Prints the line that `npm run fuzz` reads: growth of this process's peak memory since this module was loaded. */
export function reportMemory(): void {
  console.log(`memory: ${(mostEver() - first).toFixed(0)} MiB`);
}
