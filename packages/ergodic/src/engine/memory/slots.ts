/** Allocates table slots, numbered from `first`. The slot freed last is reused first. */
export class Slots {
  private next: number;
  private readonly free: number[] = [];

  constructor(first: number) {
    this.next = first;
  }

  take(): number {
    return this.free.pop() ?? this.next++;
  }

  give(slot: number): void {
    this.free.push(slot);
  }

  /** End of all slots in use or free, which is the size that a table needs. */
  get end(): number {
    return this.next;
  }
}
