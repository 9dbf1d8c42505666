/* Points of a data set's images: near each other what a network finds alike. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("points").textContent);
  const plane = document.getElementById("plane");
  /* Colours that are told apart by colour-blind eyes (Okabe and Ito), each with three forms. */
  const colours = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c7a00"];
  const forms = 3;
  const most = colours.length * forms;
  plane.innerHTML = "<svg></svg>";
  const space = plane.firstChild.namespaceURI;
  plane.replaceChildren();
  const svg = (name, set) => {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(set)) element.setAttribute(key, value);
    return element;
  };
  const made = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  /* A mark around a point; classes beyond the forms are small and grey. */
  const mark = (label) => {
    const fill = label < most ? colours[label % colours.length] : "#999";
    const form = label < most ? Math.floor(label / colours.length) : forms;
    if (form === 1) return svg("path", { d: "M-7-7H7V7H-7Z", fill });
    if (form === 2) return svg("path", { d: "M0-10L9 7H-9Z", fill });
    return svg("circle", { r: form ? 5 : 8, fill });
  };

  const picture = svg("svg", { viewBox: "-20 -20 1040 1040", role: "application", tabindex: 0 });
  picture.setAttribute("aria-label", `${data.labels.length} images as points; arrow keys go from one to the next`);
  const points = data.labels.map((label, at) => {
    const group = svg("g", {});
    group.append(mark(label));
    if (data.answers[at] !== label) group.append(svg("circle", { r: 12, class: "wrong" }));
    picture.append(group);
    return group;
  });
  const chosen = svg("circle", { r: 18, class: "chosen", visibility: "hidden" });
  picture.append(chosen);

  let places = data.ways[0][1];
  const place = () =>
    points.forEach((point, at) => point.setAttribute("transform", `translate(${places[2 * at]} ${1000 - places[2 * at + 1]})`));
  const choice = made("p", "ways");
  data.ways.forEach(([name, way], at) => {
    const label = made("label");
    const button = made("input");
    Object.assign(button, { type: "radio", name: "way", checked: at === 0 });
    button.addEventListener("change", () => {
      places = way;
      place();
      chosen.setAttribute("visibility", "hidden");
    });
    label.append(button, ` ${name}`);
    choice.append(label);
  });

  const beside = made("div", "beside");
  const card = made("figure", "card");
  const image = made("div", "thumbnail");
  const said = made("figcaption", undefined, "Point at one to see its picture.");
  said.setAttribute("aria-live", "polite");
  const zoom = Math.max(1, Math.floor(128 / Math.max(...data.cell)));
  Object.assign(image.style, {
    width: `${data.cell[1] * zoom}px`,
    height: `${data.cell[0] * zoom}px`,
    backgroundImage: `url("${data.sheet}")`,
    backgroundSize: `${data.size[1] * zoom}px ${data.size[0] * zoom}px`,
    visibility: "hidden",
  });
  card.append(image, said);
  const legend = made("ul", "legend");
  data.names.slice(0, most).forEach((name, at) => {
    if (!data.labels.includes(at)) return;
    const row = made("li");
    const sign = svg("svg", { viewBox: "-12 -12 24 24", width: 14, height: 14, "aria-hidden": "true" });
    sign.append(mark(at));
    row.append(sign, made("span", undefined, name));
    legend.append(row);
  });
  if (data.names.length > most) legend.append(made("li", "faint", "grey: the other classes"));
  beside.append(card, legend);

  let current = -1;
  const show = (at) => {
    current = at;
    chosen.setAttribute("cx", places[2 * at]);
    chosen.setAttribute("cy", 1000 - places[2 * at + 1]);
    chosen.setAttribute("visibility", "visible");
    const [row, column] = [Math.floor(at / data.columns), at % data.columns];
    image.style.backgroundPosition = `-${column * data.cell[1] * zoom}px -${row * data.cell[0] * zoom}px`;
    image.style.visibility = "visible";
    const [label, answer] = [data.names[data.labels[at]], data.names[data.answers[at]]];
    const share = `${(data.shares[at] / 10).toFixed(1)} %`;
    said.textContent = label === answer ? `${label}, ${share}` : `${label}, taken for ${answer}, ${share}`;
  };
  const nearest = (x, y) => {
    const away = (at) => (places[2 * at] - x) ** 2 + (1000 - places[2 * at + 1] - y) ** 2;
    return points.reduce((best, _, at) => (away(at) < away(best) ? at : best), 0);
  };
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * 1040 - 20, ((event.clientY - box.top) / box.height) * 1040 - 20));
  };
  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerdown", point);
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    /* The first step goes to one of the ends. */
    const from = current < 0 && step < 0 ? 0 : current;
    show((from + step + points.length) % points.length);
  });
  place();
  plane.append(choice, picture, beside);
})();
