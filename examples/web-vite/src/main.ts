/** Two cards: one trains, one samples. Each starts a run on the library's thread, shows its ticks, and draws what it gave. */
import { adam, type NetworkPredictor } from "ergodic";
import { worker } from "ergodic/worker";
import { line, observed } from "./line.ts";
import { Plot } from "./plot.ts";
import { classifier, data, points } from "./spirals.ts";

const { fit, sample } = worker();
const EPOCHS = 1000;
const colours: Record<string, string> = { blue: "#2b5fd9", gold: "#e8a317" };

training(card("training"));
sampling(card("sampling"));

function training({ button, output, picture, trace }: Card): void {
  const map = new Plot(picture, [-1, 1], [-1, 1]);
  const losses = new Plot(trace, [0, EPOCHS], [-4, 0]);
  let trained: NetworkPredictor | undefined;

  const begin = () => fit(classifier, data, { rule: adam({ rate: 0.001 }), epochs: EPOCHS, seed: 1 });
  startAndStop(button, output, begin, async (run) => {
    const seen: [epoch: number, logLoss: number][] = [];
    for await (const { epoch, loss } of run) {
      seen.push([epoch, Math.log10(loss)]);
      losses.clear();
      losses.line(seen, colours.blue, 2);
      output.textContent = `epoch ${epoch.toFixed(0)}, loss ${loss.toFixed(3)}`;
    }
    trained = await run;
    draw();
    output.textContent = `${(100 * trained.evaluate(data).accuracy!).toFixed(1)} % of the points are told apart`;
  });

  picture.addEventListener("pointermove", (event) => {
    if (!trained) return;
    const [x, y] = map.place(event);
    const { value, probabilities } = trained.predict({ x, y });
    output.textContent = `${value}, with probability ${probabilities![value].toFixed(2)}`;
  });

  function draw(): void {
    map.clear();
    const places = grid(80);
    for (const [i, { probabilities }] of trained?.predict(places).entries() ?? [])
      map.square(places[i].x, places[i].y, 80, `color-mix(in srgb, #c9d8fb ${100 * probabilities!.blue}%, #fbe6b8)`);
    for (const { x, y, spiral } of points) map.dot(x, y, colours[spiral]);
  }
  draw();
}

function sampling({ button, output, picture, trace }: Card): void {
  const plane = new Plot(picture, [-0.1, 1.1], [-0.1, 1.1]);
  const slopes = new Plot(trace, [0, 500], [0, 1.2]);

  const begin = () => sample(line, observed, { draws: 20000, seed: 1 });
  startAndStop(button, output, begin, async (run) => {
    for await (const { draws } of run) output.textContent = `${draws} draws of each chain`;
    const posterior = await run;
    const intercepts = posterior.draws("intercept");
    const drawn = posterior.draws("slope");
    const apart = Math.ceil(drawn.length / 200);
    plane.clear();
    for (let i = 0; i < drawn.length; i += apart)
      plane.line(
        [-0.1, 1.1].map((x) => [x, intercepts[i] + drawn[i] * x] as const),
        "#e8a31730",
      );
    draw();
    slopes.clear();
    slopes.line(
      Array.from(drawn.subarray(0, 500), (slope, i) => [i, slope] as const),
      colours.gold,
    );
    const { q5, q95 } = posterior.summary().slope.quantiles;
    output.textContent = `the slope is between ${q5.toFixed(2)} and ${q95.toFixed(2)}, with probability 0.9`;
  });

  function draw(): void {
    for (const [i, x] of observed.x.entries()) plane.dot(x, observed.y[i], colours.blue);
  }
  draw();
}

/** The centres of `side` × `side` squares. */
function grid(side: number): { x: number; y: number }[] {
  const centre = (i: number): number => (2 * i + 1) / side - 1;
  return Array.from({ length: side ** 2 }, (_, i) => ({ x: centre(i % side), y: centre(Math.floor(i / side)) }));
}

interface Card {
  readonly button: HTMLButtonElement;
  readonly output: HTMLOutputElement;
  readonly picture: HTMLCanvasElement;
  readonly trace: HTMLCanvasElement;
}

function card(id: string): Card {
  const find = <E extends Element>(what: string): E => document.querySelector<E>(`#${id} ${what}`)!;
  return { button: find("button"), output: find("output"), picture: find(".picture"), trace: find(".trace") };
}

/** A button that begins a run, and stops it once it has begun; what it has by then is its result. */
function startAndStop<Run extends { stop(): unknown }>(
  button: HTMLButtonElement,
  output: HTMLOutputElement,
  begin: () => Run,
  watch: (run: Run) => Promise<void>,
): void {
  const name = button.textContent;
  let running: Run | undefined;
  button.addEventListener("click", async () => {
    if (running) return void running.stop();
    button.textContent = "Stop";
    try {
      running = begin();
      await watch(running);
    } catch (error) {
      output.textContent = String(error);
    } finally {
      running = undefined;
      button.textContent = name;
    }
  });
}
