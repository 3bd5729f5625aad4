/**
 * Whether a value is an array whose elements all fit. The loop stops at the first element that does not fit, and it
 * calls no method of the array, which a proxy could lack.
 */
export function isListOf<T>(value: unknown, fits: (element: unknown) => boolean): value is T[] {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!fits(value[i])) return false;
  return true;
}
