/* A kernel of three by three on a picture of five by five, all of whose numbers can be changed. */
{
  const ready = {
    "of the worked example": [1, 0, 1, 0, 1, 0, 1, 0, 1],
    unchanged: [0, 0, 0, 0, 1, 0, 0, 0, 0],
    "vertical edges": [1, 0, -1, 1, 0, -1, 1, 0, -1],
    "horizontal edges": [1, 1, 1, 0, 0, 0, -1, -1, -1],
    sharper: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  };
  const picture = [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0];
  const table = (id, size, cell) => {
    const cells = Array.from({ length: size * size }, (_, at) => {
      const made = document.createElement("td");
      cell(made, at);
      return made;
    });
    for (let row = 0; row < size; row++) {
      const line = document.createElement("tr");
      line.append(...cells.slice(row * size, (row + 1) * size));
      document.getElementById(id).append(line);
    }
    return cells;
  };
  const field = (name, size, numbers) => (cell, at) => {
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.value = numbers[at];
    input.setAttribute("aria-label", `${name}, row ${Math.floor(at / size)}, column ${at % size}`);
    input.addEventListener("input", () => compute());
    cell.append(input);
  };
  const numbersOf = (cells) => cells.map((cell) => Number(cell.firstChild.value) || 0);
  const five = table("five", 5, field("picture", 5, picture));
  const three = table("three", 3, field("kernel", 3, ready["of the worked example"]));
  const made = table("made", 3, (cell, at) => {
    cell.tabIndex = 0;
    for (const event of ["pointerenter", "focus"]) cell.addEventListener(event, () => window(at));
    for (const event of ["pointerleave", "blur"]) cell.addEventListener(event, () => window());
  });
  const short = (x) => String(Math.round(1000 * x) / 1000);
  const sum = document.getElementById("sum");
  const terms = (at) => {
    const [image, kernel] = [numbersOf(five), numbersOf(three)];
    const [top, left] = [Math.floor(at / 3), at % 3];
    return kernel.map((weight, tap) => [(top + Math.floor(tap / 3)) * 5 + left + (tap % 3), weight]).map(([place, weight]) => [place, image[place], weight]);
  };
  let shown;
  function window(at) {
    shown = at;
    five.forEach((cell) => cell.classList.remove("under"));
    if (at === undefined) return (sum.textContent = "");
    const all = terms(at);
    all.forEach(([place]) => five[place].classList.add("under"));
    sum.textContent = `${all.map(([, x, w]) => `${short(x)}·${short(w)}`).join(" + ")} = ${made[at].textContent}`;
  }
  /* The drawing as small as a digit of MNIST, under the kernel; nothing is around it. */
  function filter() {
    const canvas = document.getElementById("filtered");
    const { width, height } = canvas;
    const [plane] = shrunk(height, width);
    const kernel = numbersOf(three);
    const at = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? 0 : plane[y * width + x]);
    const sums = Array.from(plane, (_, place) =>
      kernel.reduce((total, weight, tap) => total + weight * at(Math.floor(place / width) + Math.floor(tap / 3) - 1, (place % width) + (tap % 3) - 1), 0),
    );
    const [least, greatest] = [Math.min(...sums), Math.max(...sums)];
    const ink = canvas.getContext("2d");
    const image = ink.createImageData(width, height);
    sums.forEach((x, place) => {
      const colour = 3 * Math.round(greatest > least ? (255 * (x - least)) / (greatest - least) : 0);
      image.data.set([palette[colour], palette[colour + 1], palette[colour + 2], 255], 4 * place);
    });
    ink.putImageData(image, 0, 0);
  }
  function compute() {
    made.forEach((cell, at) => (cell.textContent = short(terms(at).reduce((total, [, x, w]) => total + x * w, 0))));
    if (shown !== undefined) window(shown);
    filter();
  }
  const choice = document.getElementById("ready");
  for (const name of Object.keys(ready)) choice.append(new Option(name));
  choice.addEventListener("change", () => {
    three.forEach((cell, at) => (cell.firstChild.value = ready[choice.value][at]));
    compute();
  });
  /* Once a picture of the screen, after what the pen waits for. */
  let waits = false;
  document.addEventListener("drawn", () => {
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      filter();
    }, 50);
  });
  compute();
}
