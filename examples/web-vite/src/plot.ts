/** A canvas with coordinates of its own: x to the right, y upwards. */
export class Plot {
  readonly canvas: HTMLCanvasElement;
  private readonly pen: CanvasRenderingContext2D;
  private readonly x: readonly [number, number];
  private readonly y: readonly [number, number];

  constructor(canvas: HTMLCanvasElement, x: readonly [number, number], y: readonly [number, number]) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d")!;
    this.x = x;
    this.y = y;
    canvas.width = canvas.clientWidth * devicePixelRatio;
    canvas.height = canvas.clientHeight * devicePixelRatio;
  }

  clear(): void {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  dot(x: number, y: number, colour: string): void {
    this.pen.fillStyle = colour;
    this.pen.beginPath();
    this.pen.arc(...this.at(x, y), 2 * devicePixelRatio, 0, 2 * Math.PI);
    this.pen.fill();
  }

  line(points: readonly (readonly [number, number])[], colour: string, width = 1): void {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = width * devicePixelRatio;
    this.pen.beginPath();
    for (const [x, y] of points) this.pen.lineTo(...this.at(x, y));
    this.pen.stroke();
  }

  /** A square around each place, of which `side` lie next to each other. */
  square(x: number, y: number, side: number, colour: string): void {
    const [left, top] = this.at(x, y);
    const width = this.canvas.width / side;
    this.pen.fillStyle = colour;
    this.pen.fillRect(left - width / 2, top - width / 2, width + 1, width + 1);
  }

  /** Where a pointer is. */
  place({ offsetX, offsetY }: MouseEvent): [x: number, y: number] {
    const { clientWidth, clientHeight } = this.canvas;
    const [x0, x1] = this.x;
    const [y0, y1] = this.y;
    return [x0 + (offsetX / clientWidth) * (x1 - x0), y1 - (offsetY / clientHeight) * (y1 - y0)];
  }

  private at(x: number, y: number): [left: number, top: number] {
    const [x0, x1] = this.x;
    const [y0, y1] = this.y;
    return [((x - x0) / (x1 - x0)) * this.canvas.width, ((y1 - y) / (y1 - y0)) * this.canvas.height];
  }
}
