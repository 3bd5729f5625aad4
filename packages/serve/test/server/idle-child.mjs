// Opens connections and sends nothing. Prints `opened N FAILED` once all are open, then `closed N FIRST` once all are closed, where FIRST is the shortest time, in
// milliseconds, for which one was open: a lower bound, which a busy machine cannot violate.
import { connect } from "node:net";

const [, , port, count] = process.argv.map(Number);
/** So many are opened at a time: a listening socket has no room for more. */
const AT_ONCE = 100;
/** @type {number[]} */
const times = [];
let [begun, opened, failed] = [0, 0, 0];

function open() {
  if (begun === count) return;
  begun++;
  const socket = connect(port, "127.0.0.1");
  // biome-ignore lint/plugin: a lower bound
  const began = performance.now();
  let isOpen = false;
  socket.resume();
  socket.on("error", () => {});
  socket.once("connect", () => {
    isOpen = true;
    opened++;
    next();
  });
  socket.once("close", () => {
    // biome-ignore lint/plugin: a lower bound
    if (isOpen) times.push(performance.now() - began);
    else failed++;
    if (!isOpen) next();
    if (times.length === count - failed) console.log(`closed ${times.length} ${Math.min(...times)}`);
  });
}

function next() {
  if (opened + failed === count) console.log(`opened ${opened} ${failed}`);
  else open();
}
for (let i = 0; i < AT_ONCE; i++) open();
