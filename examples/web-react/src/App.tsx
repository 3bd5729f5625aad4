import { adam, type NetworkPredictor } from "ergodic";
import { worker } from "ergodic/worker";
import { type MouseEvent, useMemo, useState } from "react";
import { classifier, data, points } from "./spirals.ts";
import { useRun } from "./useRun.ts";

const { fit } = worker();
const EPOCHS = 1000;
const CELLS = 60;

export function App() {
  const [rate, setRate] = useState(0.001);
  const { state, tick, result, error, start, stop } = useRun((signal) =>
    fit(classifier, data, { rule: adam({ rate }), epochs: EPOCHS, seed: 1, signal }),
  );
  const [place, setPlace] = useState<Place>();

  return (
    <main>
      <h1>Ergodic with React</h1>
      <p>
        A network learns to which spiral a point belongs, on a thread of its own. Point at the picture, and the page predicts.
      </p>
      <Picture trained={result} onPoint={setPlace} />
      <progress max={EPOCHS} value={tick?.epoch ?? 0} />
      <p>
        <label>
          rate{" "}
          <select value={rate} onChange={({ target }) => setRate(Number(target.value))}>
            {[0.0003, 0.001, 0.003, 0.01].map((value) => (
              <option key={value}>{value}</option>
            ))}
          </select>
        </label>{" "}
        <button type="button" onClick={state === "running" ? stop : start}>
          {state === "running" ? "Stop" : "Train"}
        </button>
      </p>
      <output>
        {state === "running" && tick && `epoch ${tick.epoch.toFixed(0)}, loss ${tick.loss.toFixed(3)}`}
        {state === "done" && result && (place ? prediction(result, place) : accuracy(result))}
        {state === "failed" && String(error)}
      </output>
    </main>
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function accuracy(trained: NetworkPredictor): string {
  return `${(100 * trained.evaluate(data).accuracy!).toFixed(1)} % of the points are told apart`;
}

function prediction(trained: NetworkPredictor, { x, y }: Place): string {
  const { value, probabilities } = trained.predict({ x, y });
  return `${value}, with probability ${probabilities![value].toFixed(2)}`;
}

/** The points, on what the network thinks of every place. */
function Picture({ trained, onPoint }: { trained?: NetworkPredictor; onPoint: (place: Place) => void }) {
  const cells = useMemo(() => {
    if (!trained) return [];
    const centre = (i: number): number => (2 * i + 1) / CELLS - 1;
    const places = Array.from({ length: CELLS ** 2 }, (_, i) => ({ x: centre(i % CELLS), y: centre(Math.floor(i / CELLS)) }));
    return trained.predict(places).map(({ probabilities }, i) => ({ ...places[i], blue: probabilities!.blue }));
  }, [trained]);
  const point = ({ nativeEvent, currentTarget }: MouseEvent<SVGSVGElement>): void => {
    const { width, height } = currentTarget.getBoundingClientRect();
    onPoint({ x: (2 * nativeEvent.offsetX) / width - 1, y: 1 - (2 * nativeEvent.offsetY) / height });
  };
  const side = 2.1 / CELLS;
  return (
    <svg viewBox="-1 -1 2 2" onPointerMove={point}>
      <title>Points on two spirals</title>
      {cells.map(({ x, y, blue }) => (
        <rect key={`${x} ${y}`} x={x - side / 2} y={-y - side / 2} width={side} height={side} fill={shade(blue)} />
      ))}
      {points.map(({ x, y, spiral }) => (
        <circle key={`${x} ${y}`} cx={x} cy={-y} r={0.009} className={spiral} />
      ))}
    </svg>
  );
}

const shade = (blue: number): string => `color-mix(in srgb, #c9d8fb ${100 * blue}%, #fbe6b8)`;
