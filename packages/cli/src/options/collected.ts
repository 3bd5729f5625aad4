/** Collects the values of an option that can be given several times. */
export const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];
