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

  /** End of the range of all slots, whether they are used or free. A table needs this size. */
  get end(): number {
    return this.next;
  }
}
