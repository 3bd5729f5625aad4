/**
 * Math.max and Math.min of a list of any length: ±∞ for an empty list, and NaN if one number is. The number of arguments
 * of a call is limited, and a variable can have millions of states.
 */
export const largest = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b), -Infinity);
export const smallest = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b), Infinity);
