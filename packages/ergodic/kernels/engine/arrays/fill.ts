/**
 * Operations on whole ranges of memory: zero sets `bytes` bytes at `pointer` to 0; copy moves `bytes` bytes from `from`
 * to `to`, which can overlap. Exact.
 */
export function zero(pointer: usize, bytes: usize): void {
  memory.fill(pointer, 0, bytes);
}

export function copy(to: usize, from: usize, bytes: usize): void {
  memory.copy(to, from, bytes);
}
