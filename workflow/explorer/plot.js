// A plot of points with a rectangle (brush) that selects images.

const MARGIN = { left: 62, right: 56, top: 50, bottom: 46 };
const BAR = 36; // pixels of the highest bar of the distributions above and on the right

// options: xs, ys, labels [x, y], colour (i → CSS colour), brush, its key in the state, equal axes.
function pointPlot(app, { xs, ys, labels, colour, brush, key, equal = false }) {
  const width = Math.max(360, Math.min(900, app.view.clientWidth - 24));
  const height = Math.max(280, Math.min(560, app.view.clientHeight - 190));
  let [x0, x1] = extent(xs);
  let [y0, y1] = extent(ys);
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  if (equal) {
    // The same length of a unit on both axes.
    const unit = Math.max((x1 - x0) / (right - MARGIN.left), (y1 - y0) / (bottom - MARGIN.top));
    [x0, x1] = widened(x0, x1, unit * (right - MARGIN.left));
    [y0, y1] = widened(y0, y1, unit * (bottom - MARGIN.top));
  }
  const x = linear(x0, x1, MARGIN.left, right);
  const y = linear(y0, y1, bottom, MARGIN.top);
  const ratio = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: width * ratio, height: height * ratio });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const inside = new Set(app.rows);
  const radius = app.data.n > 3000 ? 1.6 : 2.6;
  for (const selected of [false, true]) {
    for (let i = 0; i < app.data.n; i++) {
      if (inside.has(i) !== selected || Number.isNaN(xs[i]) || Number.isNaN(ys[i])) continue;
      context.globalAlpha = selected ? 0.75 : 0.15;
      context.fillStyle = selected ? colour(i) : "#888888";
      context.beginPath();
      context.arc(x(xs[i]), y(ys[i]), radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
  const drawn = svg(
    "svg",
    {
      width,
      height,
      class: "axes",
      role: "img",
      "aria-label":
        `${labels[1]} against ${labels[0]}, ${app.rows.length} images selected; ` +
        "drag to select, or type the limits below",
    },
  );
  drawn.append(...axes(x, y, [x0, x1], [y0, y1], right, bottom, labels));
  drawn.append(...distributions(app, xs, ys, x, y, right));
  const rectangle = svg("rect", { class: "selection" });
  const show = (limits) => {
    const [from, to] = [limits[0], limits[1]].map(
      (value) => Math.max(MARGIN.left, Math.min(right, x(value))),
    );
    const [low, high] = [limits[2], limits[3]].map(
      (value) => Math.max(MARGIN.top, Math.min(bottom, y(value))),
    );
    const sides = { x: from, y: high, width: to - from, height: low - high };
    for (const [name, value] of Object.entries(sides)) rectangle.setAttribute(name, value);
  };
  if (brush) show(brush);
  drawn.append(rectangle);
  const back = { x: linear(MARGIN.left, right, x0, x1), y: linear(bottom, MARGIN.top, y0, y1) };
  const at = (event) => {
    const box = drawn.getBoundingClientRect();
    return [back.x(event.clientX - box.left), back.y(event.clientY - box.top)];
  };
  let start = null;
  const between = (event) => {
    const end = at(event);
    return [
      Math.min(start[0], end[0]),
      Math.max(start[0], end[0]),
      Math.min(start[1], end[1]),
      Math.max(start[1], end[1]),
    ];
  };
  drawn.addEventListener("pointerdown", (event) => {
    start = at(event);
    drawn.setPointerCapture(event.pointerId);
  });
  drawn.addEventListener("pointermove", (event) => start && show(between(event)));
  drawn.addEventListener("pointerup", (event) => {
    const limits = start && between(event);
    start = null;
    // A click without a movement removes the selection.
    app.set({ [key]: limits && limits[1] > limits[0] && limits[3] > limits[2] ? limits : null });
  });
  return element(
    "div",
    { class: "plot" },
    element("div", { class: "layers" }, canvas, drawn),
    limitsForm(app, key, brush, [x0, x1, y0, y1]),
  );
}

function widened(low, high, length) {
  const middle = (low + high) / 2;
  return [middle - length / 2, middle + length / 2];
}

function axes(x, y, [x0, x1], [y0, y1], right, bottom, labels) {
  const text = (content, attributes) => svg("text", attributes, content);
  return [
    svg("path", { d: `M${MARGIN.left},${MARGIN.top}V${bottom}H${right}` }),
    ...ticks(x0, x1).map(
      (value) => svg(
        "g",
        {},
        svg("path", { d: `M${x(value)},${bottom}v4` }),
        text(shortNumber(value), { x: x(value), y: bottom + 17, "text-anchor": "middle" }),
      ),
    ),
    ...ticks(y0, y1).map(
      (value) => svg(
        "g",
        {},
        svg("path", { d: `M${MARGIN.left},${y(value)}h-4` }),
        text(shortNumber(value), { x: MARGIN.left - 7, y: y(value) + 4, "text-anchor": "end" }),
      ),
    ),
    text(
      labels[0],
      { x: (MARGIN.left + right) / 2, y: bottom + 36, "text-anchor": "middle", class: "label" },
    ),
    text(
      labels[1],
      {
        transform: `translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
        "text-anchor": "middle",
        class: "label",
      },
    ),
  ];
}

// Bars of both columns: of all images, and of the selected ones in front of them.
function distributions(app, xs, ys, x, y, right) {
  const selected = (numbers) => app.rows.map((i) => numbers[i]);
  return [["all", xs, ys], ["selected", selected(xs), selected(ys)]].flatMap(([name, ofX, ofY]) => {
    const [across, up] = [binned(ofX, xs), binned(ofY, ys)];
    const bars = across.map(([low, high, height]) => ({
      x: x(low),
      width: Math.max(0, x(high) - x(low) - 0.5),
      y: MARGIN.top - 4 - BAR * height,
      height: BAR * height,
    }));
    bars.push(
      ...up.map(([low, high, height]) => ({
        x: right + 4,
        width: BAR * height,
        y: y(high),
        height: Math.max(0, y(low) - y(high) - 0.5),
      })),
    );
    return bars.map((bar) => svg("rect", { ...bar, class: `bin ${name}` }));
  });
}

const shortNumber = (x) => String(Number(x.toPrecision(6))).replace("-", "−");

// The limits of the selection as four numbers, for the keyboard.
function limitsForm(app, key, brush, all) {
  const names = ["horizontal from", "horizontal to", "vertical from", "vertical to"];
  const inputs = names.map(
    (name, k) => element(
      "input",
      {
        type: "number",
        step: "any",
        "aria-label": `Selection, ${name}`,
        value: brush ? Number(brush[k].toPrecision(5)) : "",
        placeholder: Number(all[k].toPrecision(3)),
      },
    ),
  );
  const apply = (event) => {
    event.preventDefault();
    app.set(
      { [key]: inputs.map((input, k) => (input.value === "" ? all[k] : Number(input.value))) },
    );
  };
  return element(
    "form",
    { class: "limits", submit: apply },
    "Selection: ",
    inputs[0],
    " to ",
    inputs[1],
    " across, ",
    inputs[2],
    " to ",
    inputs[3],
    " up ",
    element("button", { type: "submit" }, "Select"),
    " ",
    element(
      "button",
      { type: "button", disabled: !brush, click: () => app.set({ [key]: null }) },
      "Remove",
    ),
  );
}

// The colour of an image's point, and a key to the colours.
function pointColours(app, group) {
  const { data, state } = app;
  if (state.colour === "class" || !data.about.predicts) {
    const { classes, palette } = data.about;
    const entries = classes.slice(0, palette.length).map(
      (name, k) => [classColour(palette, k), name],
    );
    if (classes.length > palette.length) entries.push(
      ["transparent", `colours repeat after ${palette.length} classes`],
    );
    return [(i) => classColour(palette, data.label[i]), colourKey(entries)];
  }
  const models = modelsOf(data, group);
  const correct = (i) => 2 * models.filter(
    (model) => isCorrect(data, model, i),
  ).length > models.length;
  return [
    (i) => (correct(i) ? "#3366FF" : "#CC6600"),
    colourKey([["#3366FF", "most models correct"], ["#CC6600", "half or more incorrect"]]),
  ];
}

const colourKey = (entries) =>
  element("ul", { class: "key" }, ...entries.map(([colour, text]) => {
    const dot = element("span", { class: "dot" });
    dot.style.background = colour;
    return element("li", {}, dot, text);
  }));

// The first of the selected images, in order, and a way to all of them.
function strip(app) {
  const { data, rows } = app;
  const pictures = rows.slice(0, 40).map(
    (i) => element(
      "button",
      {
        type: "button",
        class: "picture",
        "aria-label": `Open image ${data.index[i]}, class ${data.about.classes[data.label[i]]}`,
        title: `${data.index[i]}, ${data.about.classes[data.label[i]]}`,
        click: () => app.open(i),
      },
      canvasOf(data, i, 48, {}),
    ),
  );
  const selected = `${rows.length.toLocaleString("en")} selected images`;
  const more = rows.length > 40 ? `the first 40 of ${selected}` : selected;
  return element(
    "section",
    { "aria-label": "Selected images" },
    element(
      "p",
      {},
      `Below: ${more}. `,
      element(
        "button",
        { type: "button", click: () => app.set({ view: "images" }) },
        "Show all with maps",
      ),
    ),
    element("div", { class: "strip" }, ...pictures),
  );
}
