/* The arithmetic of each number of a small network. The maps are within `root`; `nodes` are all nodes with their weights,
   and with their values where these do not change. */
"use strict";
function arithmetic(root, nodes) {
  const unpack = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  };
  for (const node of Object.values(nodes)) {
    if (node.values) node.values = unpack(node.values);
    for (const key of ["weight", "bias"]) if (node.op[key]) node.op[key] = unpack(node.op[key]);
  }
  const size = (node) => (node.dims.length === 3 ? node.dims.slice(1) : [1, 1]);
  const value = (node, c, y, x) => node.values[(c * size(node)[0] + y) * size(node)[1] + x];
  const text = (x) => (Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : x.toFixed(3));
  const element = (name, content, className) => {
    const made = document.createElement(name);
    if (content !== undefined) made.textContent = content;
    if (className) made.className = className;
    return made;
  };

  const panel = element("aside");
  panel.className = "arithmetic";
  panel.hidden = true;
  panel.setAttribute("aria-live", "polite");
  panel.setAttribute("aria-label", "Arithmetic of one number");
  document.body.append(panel);
  const marks = [];
  const close = () => {
    panel.hidden = true;
    marks.splice(0).forEach((mark) => mark.remove());
  };

  /* Outlines rows and columns of a channel on a node's sheet. */
  const mark = (id, channel, top, left, height, width) => {
    const figure = root.querySelector(`figure.maps[data-node="${id}"] .sheet`);
    const sheet = nodes[id].sheet;
    const cell = sheet.channels.indexOf(channel);
    if (!figure || cell < 0) return;
    const y = Math.floor(cell / sheet.columns) * (sheet.cell[0] + sheet.gap) + top;
    const x = (cell % sheet.columns) * (sheet.cell[1] + sheet.gap) + left;
    const box = element("div", undefined, "mark");
    box.style.top = `${(100 * y) / sheet.height}%`;
    box.style.left = `${(100 * x) / sheet.width}%`;
    box.style.height = `${(100 * height) / sheet.height}%`;
    box.style.width = `${(100 * width) / sheet.width}%`;
    figure.append(box);
    marks.push(box);
  };

  /* The places under a window along an axis: position in the input, or -1 in the padding. */
  const under = (op, axis, at, n) =>
    Array.from({ length: op.kernel[axis] }, (_, tap) => {
      const place = at * op.stride[axis] - op.padding[axis] + tap * op.dilation[axis];
      return place >= 0 && place < n ? place : -1;
    });
  const windowOf = (node, input, y, x) => {
    const [height, width] = size(input);
    return [under(node.op, 0, y, height), under(node.op, 1, x, width)];
  };
  const markWindow = (id, channel, rows, columns) => {
    const [ys, xs] = [rows, columns].map((places) => places.filter((place) => place >= 0));
    if (ys.length && xs.length)
      mark(id, channel, ys[0], xs[0], ys.at(-1) - ys[0] + 1, xs.at(-1) - xs[0] + 1);
  };
  const grid = (title, rows, columns, cell) => {
    const box = element("div");
    box.append(element("div", title));
    const table = element("table");
    rows.forEach((y, i) => {
      const line = element("tr");
      columns.forEach((x, j) => line.append(cell(y, x, i, j)));
      table.append(line);
    });
    box.append(table);
    return box;
  };
  const number = (x, below, best) => {
    const cell = element("td", text(x));
    if (below !== undefined) cell.append(element("small", below));
    if (best) cell.className = "best";
    return cell;
  };

  /* Each shows the terms and says the sum. */
  const explain = {
    conv(node, c, y, x, terms) {
      const { op } = node;
      const input = nodes[node.inputs[0]];
      const [rows, columns] = windowOf(node, input, y, x);
      const [kh, kw] = op.kernel;
      const per = op.table ? 0 : input.dims[0] / op.groups;
      const first = op.table ? 0 : Math.floor(c / (node.dims[0] / op.groups)) * per;
      const read = op.table ? op.table[c] : Array.from({ length: per }, (_, i) => first + i);
      const base = op.table ? op.table.slice(0, c).reduce((sum, row) => sum + row.length, 0) : c * per;
      let sum = op.bias ? op.bias[c] : 0;
      let rest = 0;
      read.forEach((channel, i) => {
        let part = 0;
        const weight = (a, b) => op.weight[((base + i) * kh + a) * kw + b];
        const at = (v, u) => (v < 0 || u < 0 ? 0 : value(input, channel, v, u));
        rows.forEach((v, a) => columns.forEach((u, b) => (part += at(v, u) * weight(a, b))));
        sum += part;
        if (i < 8) {
          terms.append(
            grid(`channel ${channel}: ${text(part)}`, rows, columns, (v, u, a, b) => number(at(v, u), `× ${text(weight(a, b))}`)),
          );
          markWindow(node.inputs[0], channel, rows, columns);
        } else rest += part;
      });
      const more = read.length > 8 ? `, ${read.length - 8} more channels give ${text(rest)}` : "";
      return `the sum of number × weight over the window${more}, plus the bias ${text(op.bias ? op.bias[c] : 0)}, is ${text(sum)}`;
    },
    max(node, c, y, x, terms) {
      const input = nodes[node.inputs[0]];
      const [rows, columns] = windowOf(node, input, y, x);
      const most = value(node, c, y, x);
      const at = (v, u) => (v < 0 || u < 0 ? -Infinity : value(input, c, v, u));
      terms.append(
        grid(`channel ${c}`, rows, columns, (v, u) =>
          v < 0 || u < 0 ? element("td", "–") : number(at(v, u), undefined, at(v, u) === most),
        ),
      );
      markWindow(node.inputs[0], c, rows, columns);
      return `the greatest number of the window is ${text(most)}`;
    },
    mean(node, c, y, x, terms) {
      const input = nodes[node.inputs[0]];
      const [rows, columns] = windowOf(node, input, y, x);
      const at = (v, u) => (v < 0 || u < 0 ? 0 : value(input, c, v, u));
      terms.append(grid(`channel ${c}`, rows, columns, (v, u) => (v < 0 || u < 0 ? element("td", "–") : number(at(v, u)))));
      markWindow(node.inputs[0], c, rows, columns);
      return `the mean of the window is ${text(value(node, c, y, x))}`;
    },
    linear(node, c, y, x, terms) {
      const { op } = node;
      const input = nodes[node.inputs[0]];
      const count = input.values.length;
      const products = Array.from(input.values, (v, i) => [i, v, op.weight[c * count + i]]);
      const sum = products.reduce((total, [, v, w]) => total + v * w, op.bias ? op.bias[c] : 0);
      products.sort((a, b) => Math.abs(b[1] * b[2]) - Math.abs(a[1] * a[2]));
      const most = products.slice(0, 8);
      terms.append(
        grid(`the ${most.length} terms that weigh most`, [0], most, (_, [, v, w]) => number(v, `× ${text(w)}`)),
      );
      return `the sum of ${count} numbers × weights, plus the bias ${text(op.bias ? op.bias[c] : 0)}, is ${text(sum)}`;
    },
    relu(node, c, y, x) {
      const input = nodes[node.inputs[0]];
      if (node.dims.length === 3) mark(node.inputs[0], c, y, x, 1, 1);
      const before = node.dims.length === 3 ? value(input, c, y, x) : input.values[c];
      return `the greater of 0 and ${text(before)}`;
    },
    other(node, c, y, x) {
      const inputs = node.inputs.map((id) => nodes[id]).filter((input) => input && `${input.dims}` === `${node.dims}`);
      const read = inputs.map((input) => text(input.dims.length === 3 ? value(input, c, y, x) : input.values[c]));
      node.inputs.forEach((id) => nodes[id] && `${nodes[id].dims}` === `${node.dims}` && mark(id, c, y, x, 1, 1));
      return read.length ? `made of ${read.join(" and ")} at the same place` : "";
    },
  };

  let last;
  const show = (id, channel, y, x) => {
    close();
    const node = nodes[id];
    if (!node.values) return;
    last = [id, channel, y, x];
    document.dispatchEvent(new CustomEvent("place", { detail: { id, row: y, column: x } }));
    const vector = node.dims.length === 1;
    /* A vector lies in one row of its sheet. */
    const [c, row, column] = vector ? [x, 0, 0] : [channel, y, x];
    mark(id, channel, y, x, 1, 1);
    const terms = element("div", undefined, "terms");
    const sentence = explain[node.op.kind](node, c, row, column, terms);
    const place = vector ? `number ${c}` : `channel ${c}, row ${row}, column ${column}`;
    const shown = vector ? node.values[c] : value(node, c, row, column);
    const button = element("button", "×");
    button.setAttribute("aria-label", "close");
    button.addEventListener("click", close);
    panel.replaceChildren(
      element("h4", `${node.path}, ${place}: ${text(shown)}`),
      button,
      element("div", sentence),
      terms,
    );
    panel.hidden = false;
  };

  for (const figure of root.querySelectorAll("figure.maps")) {
    const id = Number(figure.dataset.node);
    if (!nodes[id]) continue;
    const { sheet } = nodes[id];
    const image = figure.querySelector("img, canvas");
    const box = figure.querySelector(".sheet");
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", `maps of ${nodes[id].path}; arrow keys move, page up and page down change the channel`);
    let at = [0, 0, 0];
    const point = (event) => {
      const area = image.getBoundingClientRect();
      const x = Math.floor(((event.clientX - area.left) / area.width) * sheet.width);
      const y = Math.floor(((event.clientY - area.top) / area.height) * sheet.height);
      const [height, width] = sheet.cell.map((length) => length + sheet.gap);
      const cell = Math.floor(y / height) * sheet.columns + Math.floor(x / width);
      const [row, column] = [y % height, x % width];
      if (cell >= sheet.channels.length || row >= sheet.cell[0] || column >= sheet.cell[1]) return;
      at = [cell, row, column];
      show(id, sheet.channels[cell], row, column);
    };
    box.addEventListener("pointermove", point);
    box.addEventListener("pointerdown", point);
    const turn = () => show(id, sheet.channels[at[0]], at[1], at[2]);
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], PageUp: [-1, 0, 0], PageDown: [1, 0, 0], Enter: [0, 0, 0] };
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const ends = [sheet.channels.length, ...sheet.cell];
      at = at.map((place, axis) => Math.min(Math.max(place + step[axis], 0), ends[axis] - 1));
      turn();
    });
  }
  const escape = (event) => event.key === "Escape" && close();
  document.addEventListener("keydown", escape);
  return {
    /* New values of the nodes, or none where they are not known. */
    update(values) {
      for (const [id, node] of Object.entries(nodes)) node.values = values?.[id];
      if (!panel.hidden) values ? show(...last) : close();
    },
    /* Takes away what is shown. */
    end() {
      close();
      panel.remove();
      document.removeEventListener("keydown", escape);
    },
  };
}
