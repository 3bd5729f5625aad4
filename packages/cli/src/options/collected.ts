/** What an option was given, time after time. */
export const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];
