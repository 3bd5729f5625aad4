/** Total size of the factors for the rules measured so far, and number of bytes left for the other rules. */
export class Tally {
  factors = 0;
  edges = 0;
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  add({ bytes, factors, edges }: { bytes: number; factors: number; edges: number }, tooMuch: () => Error): void {
    if (bytes > this.room) throw tooMuch();
    this.room -= bytes;
    this.factors += factors;
    this.edges += edges;
  }
}
