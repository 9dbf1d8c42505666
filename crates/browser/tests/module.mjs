// Opens weights in the module of a page, by the page's own script, and writes what it makes of pictures.
// Arguments: the page's script, the module, the weights, a file of pictures' bytes, and where the answers go.
import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { gzipSync } from "node:zlib";

const [script, module, weights, pictures, answers] = argv.slice(2);
const packed = (file) => gzipSync(readFileSync(file)).toString("base64");
const data = { module: packed(module), weights: [packed(weights)] };
const engine = new Function("data", `${readFileSync(script, "utf8")}; return engine;`)(data);

const opened = await engine.open(0);
const length = opened.input.reduce((product, axis) => product * axis);
const bytes = new Uint8Array(readFileSync(pictures));
const found = [];
const times = [];
for (let at = 0; at < bytes.length; at += length) {
  const begun = performance.now();
  found.push(new Uint8Array(engine.look(0, bytes.subarray(at, at + length), true)));
  times.push(performance.now() - begun);
}
let refused = "";
try {
  engine.look(0, bytes.subarray(1, length), true);
} catch (error) {
  refused = error.message;
}
try {
  engine.own(1, bytes);
} catch (error) {
  refused += `\n${error.message}`;
}
times.sort((a, b) => a - b);
writeFileSync(answers, Buffer.concat(found));
console.log(JSON.stringify({ opened, refused, milliseconds: times[times.length >> 1] }));
