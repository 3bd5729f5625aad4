// Opens connections and says nothing on them: `open` once all are, `closed MS …` with when the first and the last were closed.
import { connect } from "node:net";

const [, , port, count] = process.argv.map(Number);
const times = [];
let open = 0;
for (let i = 0; i < count; i++) {
  const socket = connect(port, "127.0.0.1", () => {
    if (++open === count) console.log("open");
  });
  const began = performance.now();
  socket.on("error", () => {});
  socket.resume();
  socket.on("close", () => {
    times.push(performance.now() - began);
    if (times.length === count) console.log(`closed ${Math.min(...times)} ${Math.max(...times)}`);
  });
}
