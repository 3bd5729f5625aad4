/**
 * The page in the browser: the list of models, a form with one model's columns, its answer, and the response times so
 * far. The script makes elements and sets their text, so that no name of a model, a column or a class is ever
 * interpreted as markup.
 */

const EVERY_MS = 1000;
/** Largest number of columns in a form. */
const MOST_FIELDS = 200;

/**
 * @typedef {{ name: string, kind: string, levels?: string[] }} Column
 * @typedef {{ target: string, classes?: string[], column_count: number, columns: Column[] }} Rows
 */

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const choice = /** @type {HTMLSelectElement} */ (part("model"));
const token = /** @type {HTMLInputElement} */ (part("token"));
const form = /** @type {HTMLFormElement} */ (part("row"));

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} content
 */
function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/**
 * @param {string} path
 * @param {unknown} [body]
 */
async function ask(path, body) {
  /** @type {Record<string, string>} */
  const headers = token.value === "" ? {} : { authorization: `Bearer ${token.value}` };
  const response = await fetch(path, {
    headers,
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** @param {string} [end] */
const path = (end = "") => `v2/models/${encodeURIComponent(choice.value)}${end}`;

/** @param {unknown} error */
function tell(error) {
  part("said").textContent = error === undefined ? "" : String(/** @type {Error} */ (error).message ?? error);
  part("said").className = error === undefined ? "" : "wrong";
}

/** Completes a row from the values of the fields. @type {(values: Record<string, unknown>) => void} */
let fill = () => {};

async function showModels() {
  const index = await ask("v2/repository/index", { ready: true });
  const names = [...new Set(index.map((/** @type {{ name: string }} */ { name }) => name))];
  const before = choice.value;
  choice.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  if (names.includes(before)) choice.value = before;
  if (names.length === 0) throw new Error("no model is served yet");
  await showForm();
}

async function showForm() {
  part("answer").replaceChildren();
  form.replaceChildren();
  /** @type {Rows} */
  const { columns, column_count: count } = await ask(path("/rows"));
  const shown = columns.slice(0, MOST_FIELDS);
  for (const [j, { name, kind, levels }] of shown.entries()) {
    const id = `field${j}`;
    form.append(element("label", { for: id }, name));
    const field =
      levels !== undefined
        ? element("select", { id, name }, ...levels.map((level) => element("option", { value: level }, level)))
        : element("input", kind === "number" ? { id, name, type: "number", step: "any", value: "0" } : { id, name });
    form.append(field);
  }
  if (count > shown.length) form.append(element("p", {}, `and ${count - shown.length} more columns, which are 0 here`));
  form.append(element("button", { type: "submit" }, "Predict"));
  fill = (values) => {
    for (const { name, kind } of columns) if (!Object.hasOwn(values, name)) values[name] = kind === "number" ? 0 : "";
    for (const { name, kind } of columns) if (kind === "number") values[name] = values[name] === "" ? null : Number(values[name]);
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const values = Object.fromEntries(new FormData(form));
    fill(values);
    const { target, predictions, parameters } = await ask(path("/rows"), { rows: [values] });
    const [{ value, probabilities }] = predictions;
    const rows = [
      [target, String(value)],
      ...Object.entries(probabilities ?? {}).map(([name, p]) => [name, Number(p).toPrecision(4)]),
    ];
    part("answer").replaceChildren(
      element(
        "table",
        {},
        ...rows.map(([name, text]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, text))),
      ),
      element("p", {}, `waited ${parameters.queue_us} µs, took ${parameters.compute_us} µs`),
    );
    tell(undefined);
    await showTimes();
  } catch (error) {
    tell(error);
  }
});

async function showTimes() {
  if (choice.value === "") return;
  const { model_stats: all } = await ask(path("/stats"));
  const [{ ergodic: stats }] = all;
  part("times").replaceChildren(bars(stats.buckets.latencyUs));
  const { p50, p99 } = stats.histograms.latencyUs;
  const times = p50 === null ? "" : `, half within ${time(p50)}, 99 % within ${time(p99)}`;
  part("counts").textContent = `${stats.answered} answered${times}`;
}

/** @param {number} us */
const time = (us) => (us < 1000 ? `${Math.round(us)} µs` : `${(us / 1000).toPrecision(3)} ms`);

/**
 * Draws one bar per bucket, from the first non-empty one to the last.
 *
 * @param {[number, number][]} cumulative
 */
function bars(cumulative) {
  const counts = cumulative.map(([end, sum], i) => ({ end, count: sum - (cumulative[i - 1]?.[1] ?? 0) }));
  const first = counts.findIndex(({ count }) => count > 0);
  const last = counts.findLastIndex(({ count }) => count > 0);
  const some = first < 0 ? [] : counts.slice(Math.max(0, first - 1), last + 2);
  const most = Math.max(1, ...some.map(({ count }) => count));
  const [width, height] = [480, 140];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 20}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", some.map(({ end, count }) => `up to ${time(end)}: ${count}`).join(", "));
  const step = width / Math.max(1, some.length);
  for (const [i, { end, count }] of some.entries()) {
    const tall = (height * count) / most;
    const bar = document.createElementNS(svg.namespaceURI, "rect");
    for (const [key, value] of Object.entries({ x: i * step + 1, y: height - tall, width: step - 2, height: tall }))
      bar.setAttribute(key, String(value));
    const label = document.createElementNS(svg.namespaceURI, "text");
    label.setAttribute("x", String(i * step + 1));
    label.setAttribute("y", String(height + 14));
    label.textContent = some.length <= 10 || i % 2 === 0 ? time(end) : "";
    svg.append(bar, label);
  }
  return svg;
}

/** @param {() => Promise<unknown>} act */
const attempt = (act) =>
  act().then(
    () => tell(undefined),
    (error) => tell(error),
  );
// Makes only one attempt, so that the first error stays visible.
/** @param {() => Promise<void>} show */
const begin = (show) => attempt(() => show().then(showTimes));
choice.addEventListener("change", () => begin(showForm));
token.addEventListener("change", () => begin(showModels));
begin(showModels);
setInterval(() => document.visibilityState === "visible" && showTimes().catch(() => {}), EVERY_MS);
