/* Panes of networks that look at the picture while it changes. */
const data = JSON.parse(document.getElementById("data").textContent);
const palette = Uint8Array.from(atob(data.palette), (c) => c.charCodeAt(0));
const made = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const pad = document.getElementById("pad");
const ink = pad.getContext("2d", { willReadFrequently: true });
const said = document.getElementById("said");
const say = (text) => (said.textContent = text);

/* For each pixel of a smaller picture those of the pad that fall onto it, along an axis, and with what share. */
const spans = (() => {
  const known = new Map();
  return (from, to) => {
    const key = `${from} ${to}`;
    if (!known.has(key))
      known.set(
        key,
        Array.from({ length: to }, (_, at) => {
          const [low, high] = [(at * from) / to, ((at + 1) * from) / to];
          const first = Math.floor(low);
          const shares = Array.from(
            { length: Math.min(Math.ceil(high), from) - first },
            (_, i) => (Math.min(first + i + 1, high) - Math.max(first + i, low)) / (high - low),
          );
          return { first, shares: Float64Array.from(shares) };
        }),
      );
    return known.get(key);
  };
})();

/* The mean of each field that falls onto a pixel of a smaller picture, for each of the three colours. */
function shrunk(height, width) {
  const { data: pixels } = ink.getImageData(0, 0, pad.width, pad.height);
  const [rows, columns] = [spans(pad.height, height), spans(pad.width, width)];
  const line = new Float64Array(3 * pad.width);
  const planes = [0, 1, 2].map(() => new Float64Array(height * width));
  for (let y = 0; y < height; y++) {
    const { first, shares } = rows[y];
    line.fill(0);
    for (let i = 0; i < shares.length; i++) {
      const [share, start] = [shares[i], 4 * (first + i) * pad.width];
      for (let u = 0, from = start, to = 0; u < pad.width; u++, from += 4, to += 3) {
        line[to] += share * pixels[from];
        line[to + 1] += share * pixels[from + 1];
        line[to + 2] += share * pixels[from + 2];
      }
    }
    for (let x = 0; x < width; x++) {
      const { first, shares } = columns[x];
      for (let i = 0, from = 3 * first; i < shares.length; i++, from += 3)
        for (let colour = 0; colour < 3; colour++)
          planes[colour][y * width + x] += shares[i] * line[from + colour];
    }
  }
  return planes;
}

/* The drawing as bytes of what a network reads: shrunk to the size it was trained on, within a black frame. */
function pixelsFor({ input: [channels, height, width], drawn }) {
  const planes = shrunk(...drawn);
  const grey = (i) => 0.299 * planes[0][i] + 0.587 * planes[1][i] + 0.114 * planes[2][i];
  const [top, left] = [Math.floor((height - drawn[0]) / 2), Math.floor((width - drawn[1]) / 2)];
  const bytes = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < drawn[0]; y++)
      for (let x = 0; x < drawn[1]; x++) {
        const from = y * drawn[1] + x;
        bytes[(channel * height + top + y) * width + left + x] =
          Math.round(channels === 3 ? planes[channel][from] : grey(from));
      }
  return bytes;
}

class Pane {
  constructor(network) {
    this.answer = made("section", "answer");
    this.choice = made("select");
    this.choice.setAttribute("aria-label", "Network");
    this.list = made("ol");
    this.read = made("canvas", "read");
    this.read.setAttribute("role", "img");
    this.read.setAttribute("aria-label", "The picture as the network reads it");
    this.note = made("p", "faint");
    this.answer.append(this.choice, this.read, this.list, this.note);
    this.element = made("section", "pane");
    this.choice.addEventListener("change", () => this.chosen());
    this.offer();
    this.choice.value = network;
    this.network = -1;
  }
  /* The networks that there are; a second pane may stay empty. */
  offer() {
    const value = this.choice.value;
    const option = (at, text) => {
      const one = made("option", undefined, text);
      one.value = at;
      return one;
    };
    const all = data.networks.map((name, at) => option(at, name));
    this.choice.replaceChildren(...(this.second ? [option(-1, "compare with…")] : []), ...all);
    if (value !== "") this.choice.value = value;
  }
  async chosen() {
    const network = Number(this.choice.value);
    if (network === this.network) return;
    this.network = network;
    this.arithmetic?.end();
    this.arithmetic = this.opened = this.frame = this.pixels = undefined;
    this.element.replaceChildren();
    this.list.replaceChildren();
    this.note.textContent = "";
    this.read.hidden = true;
    if (network < 0) return;
    this.note.textContent = "opening…";
    try {
      const opened = await engine.open(network);
      if (this.network === network) this.show(opened);
    } catch (error) {
      /* What was chosen since then is another's matter. */
      if (this.network !== network) return;
      this.note.textContent = error.message;
      this.network = -1;
    }
  }
  show(opened) {
    this.opened = opened;
    this.element.append(made("h2", undefined, `${opened.title}, stage by stage`));
    const stages = made("div");
    /* Made by the program, which escapes every text in it. */
    stages.innerHTML = opened.html;
    const prefix = this.second ? "second-" : "first-";
    stages.querySelectorAll("[id]").forEach((element) => (element.id = prefix + element.id));
    stages.querySelectorAll("a[href^='#']").forEach((link) => (link.href = `#${prefix}${link.hash.slice(1)}`));
    this.element.append(stages);
    const figures = new Map([...stages.querySelectorAll("figure.maps")].map((figure) => [figure.dataset.node, figure]));
    this.surfaces = opened.nodes.map(({ id, length, sheet }) => {
      const figure = figures.get(String(id));
      const [height, width] = sheet.cell;
      const bytes = sheet.channels.length * height * width;
      if (!figure) return { id, bytes, length };
      const canvas = figure.querySelector("canvas");
      const ink = canvas.getContext("2d");
      const range = figure.querySelector(".range");
      return { id, length, sheet, bytes, canvas, ink, range, image: ink.createImageData(canvas.width, canvas.height) };
    });
    stages.addEventListener("toggle", () => this.paint(), true);
    if (opened.numbers) this.arithmetic = arithmetic(stages, opened.numbers.nodes);
    this.note.textContent = opened.notes.join("; ");
    this.read.hidden = false;
    const [question, exact] = current ?? [drawing, true];
    this.ask(question, exact, performance.now());
  }
  /* One question at a time; of what comes meanwhile the latest is asked next. */
  async ask(question, exact, since) {
    if (!this.opened) return;
    if (this.asking) {
      this.next = [question, exact, since];
      return;
    }
    this.asking = true;
    const opened = this.opened;
    try {
      const [pixels, frame] = await question(this, exact);
      if (opened === this.opened) {
        this.frame = frame;
        this.pixels = pixels;
        this.paint();
        this.element.dataset.milliseconds = performance.now() - since;
        this.element.dataset.exact = exact;
        this.note.textContent = [`${(performance.now() - since).toFixed(1)} ms`, ...opened.notes].join("; ");
      }
    } catch (error) {
      if (opened === this.opened) {
        this.list.replaceChildren();
        this.note.textContent = error.message;
      }
    }
    this.asking = false;
    const next = this.next;
    this.next = undefined;
    if (next) this.ask(...next);
  }
  /* What came last, onto all maps that can be seen. */
  paint() {
    if (!this.frame) return;
    const { classes } = this.opened;
    const bytes = new Uint8Array(this.frame);
    const view = new DataView(this.frame);
    const shares = classes.map((_, at) => view.getFloat32(4 * at, true));
    this.answers(shares);
    this.reads();
    let at = 4 * classes.length;
    for (const surface of this.surfaces) {
      const [least, greatest] = [view.getFloat32(at, true), view.getFloat32(at + 4, true)];
      at += 8;
      /* A map in a stage that is folded is painted when the stage opens. */
      if (surface.canvas && !surface.canvas.closest("details:not([open])")) {
        surface.range.textContent = `${least.toFixed(3)} … ${greatest.toFixed(3)}`;
        this.sheet(surface, bytes, at);
      }
      at += surface.bytes;
    }
    if (!this.arithmetic) return;
    if (at === bytes.length) return this.arithmetic.update();
    const values = {};
    for (const { id, length } of this.surfaces) {
      values[id] = new Float32Array(this.frame.slice(at, at + 4 * length));
      at += 4 * length;
    }
    this.arithmetic.update(values);
  }
  sheet({ sheet, ink, image }, bytes, at) {
    const [height, width] = sheet.cell;
    const pixels = image.data;
    sheet.channels.forEach((_, cell) => {
      const top = Math.floor(cell / sheet.columns) * (height + sheet.gap);
      const left = (cell % sheet.columns) * (width + sheet.gap);
      for (let y = 0; y < height; y++) {
        let to = 4 * ((top + y) * image.width + left);
        for (let x = 0; x < width; x++) {
          const colour = 3 * bytes[at++];
          pixels[to++] = palette[colour];
          pixels[to++] = palette[colour + 1];
          pixels[to++] = palette[colour + 2];
          pixels[to++] = 255;
        }
      }
    });
    ink.putImageData(image, 0, 0);
  }
  answers(shares) {
    const order = shares.map((share, at) => [share, at]).sort((a, b) => b[0] - a[0]).slice(0, 5);
    this.list.replaceChildren(
      ...order.map(([share, at]) => {
        const row = made("li");
        const bar = made("div");
        const part = made("i");
        part.style.width = `${100 * share}%`;
        bar.append(part);
        row.append(made("span", "class", this.opened.classes[at]), made("span", "share", `${(100 * share).toFixed(1)} %`), bar);
        return row;
      }),
    );
  }
  /* The picture as the network reads it. */
  reads() {
    const [channels, height, width] = this.opened.input;
    this.read.width = width;
    this.read.height = height;
    const ink = this.read.getContext("2d");
    const image = ink.createImageData(width, height);
    const plane = height * width;
    for (let at = 0; at < plane; at++) {
      for (let colour = 0; colour < 3; colour++)
        image.data[4 * at + colour] = this.pixels[(channels === 3 ? colour * plane : 0) + at];
      image.data[4 * at + 3] = 255;
    }
    ink.putImageData(image, 0, 0);
  }
}

/* Questions: the drawing, and a picture's file. Each gives the pixels that the network reads, and what it makes of them. */
const drawing = async (pane, exact) => {
  const pixels = pixelsFor(pane.opened);
  return [pixels, await engine.look(pane.network, pixels, exact)];
};
const dropped = (file) => async (pane) => {
  const answer = await engine.picture(pane.network, file, true);
  const length = pane.opened.input.reduce((product, axis) => product * axis);
  return [new Uint8Array(answer, 0, length), answer.slice(length)];
};

const panes = [];
let current;
function ask(question, exact, since) {
  current = [question, exact, since];
  panes.forEach((pane) => pane.ask(question, exact, since));
  document.dispatchEvent(new Event("drawn"));
}

let drawn = false;
let last;
function blank() {
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, pad.width, pad.height);
}
function clear() {
  blank();
  drawn = false;
  ask(drawing, true, performance.now());
}
function stroke(event) {
  const box = pad.getBoundingClientRect();
  ink.strokeStyle = "#fff";
  ink.lineWidth = 22;
  ink.lineCap = ink.lineJoin = "round";
  ink.beginPath();
  const moves = event.getCoalescedEvents?.() ?? [];
  for (const move of moves.length ? moves : [event]) {
    const at = [((move.clientX - box.left) * pad.width) / box.width, ((move.clientY - box.top) * pad.height) / box.height];
    ink.moveTo(...(last ?? at));
    ink.lineTo(...at);
    last = at;
  }
  ink.stroke();
  ask(drawing, engine.always, event.timeStamp);
}
pad.addEventListener("pointerdown", (event) => {
  if (!drawn) blank();
  drawn = true;
  pad.setPointerCapture(event.pointerId);
  last = undefined;
  stroke(event);
});
/* Where a server computes, a move is told as it comes and not first before the next picture of the screen. */
const moves = !engine.always && "onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove";
pad.addEventListener(moves, (event) => event.buttons && drawn && stroke(event));
/* A stroke that the system breaks off, to scroll or for a palm, ends too. */
for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, (event) => {
    last = undefined;
    if (drawn && !engine.always) ask(drawing, true, event.timeStamp);
  });
}

async function open(file) {
  if (!file) return;
  if (file.name.endsWith(".safetensors")) return own(file);
  blank();
  drawn = false;
  let shown = true;
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(pad.width / image.width, pad.height / image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    ink.drawImage(image, (pad.width - width) / 2, (pad.height - height) / 2, width, height);
  } catch {
    shown = false;
  }
  if (engine.picture) say(shown ? "" : "The browser cannot show this file.");
  else say(shown ? "The browser has fitted the picture into the square; predict may prepare it otherwise." : "The browser cannot read this file.");
  if (engine.picture) ask(dropped(file), true, performance.now());
  else if (shown) ask(drawing, true, performance.now());
}
async function own(file) {
  if (!engine.own) return say("This server has its own weights; those of a file go into cargo xtask serve.");
  try {
    const number = data.networks.length;
    const opened = engine.own(number, new Uint8Array(await file.arrayBuffer()));
    data.networks.push(`${opened.title}, ${file.name}`);
    panes.forEach((pane) => pane.offer());
    panes[0].choice.value = number;
    await panes[0].chosen();
    say("");
  } catch (error) {
    say(`${file.name}: ${error.message}`);
  }
}
document.getElementById("clear").addEventListener("click", clear);
for (const id of ["file", "weights"])
  document.getElementById(id).addEventListener("change", (event) => open(event.target.files[0]));
document.getElementById("own").hidden = !engine.own;
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  open(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => open(event.clipboardData.files[0]));

blank();
panes.push(new Pane(0));
panes.push(new Pane(-1));
panes[1].second = true;
panes.forEach((pane) => {
  pane.offer();
  document.getElementById("answers").append(pane.answer);
  document.getElementById("panes").append(pane.element);
});
panes[1].choice.value = -1;
panes[1].read.hidden = true;
panes[0].choice.value = 0;
panes[0].chosen();
