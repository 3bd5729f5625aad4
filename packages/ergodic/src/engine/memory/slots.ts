/** Numbers of table slots: handed out from `first` on, given back, and handed out again, the last one back first. */
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

  /** Slots in use or free: what a table must hold. */
  get end(): number {
    return this.next;
  }
}
