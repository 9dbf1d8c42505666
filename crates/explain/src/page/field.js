/* Outlines in the first picture what a place of a map sees, while it is pointed at. */
(() => {
  "use strict";
  const { size, spans, nodes } = JSON.parse(document.getElementById("fields").textContent);
  const card = document.createElement("figure");
  card.className = "seen";
  card.hidden = true;
  const picture = document.createElement("div");
  picture.className = "picture picture0";
  const box = document.createElement("div");
  box.className = "mark";
  const said = document.createElement("figcaption");
  picture.append(box);
  card.append(picture, said);
  document.body.append(card);

  /* The pixels that the places from `first` on of an axis see together. */
  const range = (ends, first, count) => {
    const last = Math.min(first + count, ends.length / 2) - 1;
    return [ends[2 * first], ends[2 * last + 1]];
  };
  const show = (id, row, column) => {
    const node = nodes[id];
    const places = [row, column].map((place) => place * node.reduced);
    const [rows, columns] = [0, 1].map((axis) => range(spans[node.spans[axis]], places[axis], node.reduced));
    const [top, left] = [rows[0] / size[0], columns[0] / size[1]];
    Object.assign(box.style, {
      top: `${100 * top}%`,
      left: `${100 * left}%`,
      height: `${100 * ((rows[1] - rows[0]) / size[0])}%`,
      width: `${100 * ((columns[1] - columns[0]) / size[1])}%`,
    });
    said.textContent = `row ${places[0]}, column ${places[1]} sees rows ${rows[0]} to ${rows[1] - 1}, columns ${columns[0]} to ${columns[1] - 1}`;
    card.hidden = false;
  };
  const hide = () => (card.hidden = true);
  for (const figure of document.querySelectorAll("figure.maps")) {
    const id = figure.dataset.node;
    const node = nodes[id];
    if (!node) continue;
    const image = figure.querySelector("img, canvas");
    const point = (event) => {
      const area = image.getBoundingClientRect();
      const y = Math.floor(((event.clientY - area.top) / area.height) * node.sheet[0]) % node.step[0];
      const x = Math.floor(((event.clientX - area.left) / area.width) * node.sheet[1]) % node.step[1];
      if (y >= 0 && x >= 0 && y < node.cell[0] && x < node.cell[1]) show(id, y, x);
    };
    image.addEventListener("pointermove", point);
    image.addEventListener("pointerdown", point);
    image.addEventListener("pointerleave", hide);
  }
  /* The arithmetic of a small network tells where the arrow keys are. */
  document.addEventListener("place", ({ detail: { id, row, column } }) => nodes[id] && show(id, row, column));
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
