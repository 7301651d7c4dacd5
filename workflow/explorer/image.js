// One image: the maps of all models with their predictions, all metrics, and their distributions.

function imageView(app, root) {
  const { data, state } = app;
  const i = app.current();
  if (i === undefined) {
    root.replaceChildren(element("p", {}, "No image passes all filters."));
    return;
  }
  const name = data.about.classes[data.label[i]];
  const place = app.rows.indexOf(i);
  const step = (by, text) => element(
    "button",
    {
      type: "button",
      disabled: place >= 0 && app.rows[place + by] === undefined,
      click: () => app.step(by),
    },
    text,
  );
  root.replaceChildren(
    element(
      "div",
      { class: "heading" },
      element("h2", {}, `Image ${data.index[i]}, class ${name}`),
      element(
        "p",
        {},
        place < 0
          ? "not among the images that pass the filters"
          : `${[place + 1, app.rows.length].map((x) => x.toLocaleString("en")).join(" of ")} in this order`,
        " ",
        step(-1, "← Previous"),
        " ",
        step(1, "Next →"),
      ),
    ),
    element(
      "div",
      { class: "figures" },
      element(
        "figure",
        {},
        canvasOf(
          data,
          i,
          Math.max(128, Number(state.size)),
          {
            label: `Image ${data.index[i]}, class ${name}`,
            region: data.about.regions.indexOf(state.region),
          },
        ),
        element("figcaption", {}, "Image"),
      ),
    ),
    ...data.groups.map((group) => groupSection(app, group, i)),
    ...numbersSection(app, i),
  );
  app.redraw = () => imageView(app, root);
}

function groupSection(app, group, i) {
  const { data, state } = app;
  const side = Number(state.size);
  const width = `width: ${Math.max(120, sizeOf(data, side)[0])}px`;
  const maps = group.models.map((model) => {
    const seed = data.about.models[model].seed;
    const label = `Map of ${group.title}, ${data.about.member} ${seed}`;
    return element(
      "figure",
      { style: width, "data-model": `${group.name} ${seed}` },
      mapView(app, i, [model], side, label),
      element(
        "figcaption",
        {},
        element("span", {}, capital(`${data.about.member} ${seed}`)),
        prediction(data, model, i),
        explained(data, model, i),
      ),
    );
  });
  const average = group.models.length > 1 ? [
    element(
      "figure",
      { style: width },
      mapView(app, i, group.models, side, `Mean map of ${group.title}`),
      element("figcaption", {}, `Mean over ${data.about.member}s`),
    ),
  ] : [];
  return element(
    "section",
    { class: "group", "aria-label": group.title },
    element("h3", {}, group.title),
    element("div", { class: "figures" }, ...average, ...maps),
  );
}

function prediction(data, model, i) {
  if (!data.about.predicts) return "";
  const correct = isCorrect(data, model, i);
  return element(
    "span",
    { class: correct ? "right" : "wrong" },
    `${correct ? "✓" : "✗"} ${data.about.classes[predictedBy(data, model, i)]}, ` +
      `${Math.round(100 * probabilityOf(data, model, i))} %`,
  );
}

// The class that a map explains, if it is not the predicted one, and its maximum before scaling.
function explained(data, model, i) {
  const target = data.about.predicts ? data.target[model * data.n + i] : null;
  const other = data.about.predicts && target !== predictedBy(data, model, i);
  const peak = `map maximum ${Number(peakOf(data, model, i).toPrecision(2))}`;
  return element("small", {}, other ? `explains ${data.about.classes[target]}, ${peak}` : peak);
}

function numbersSection(app, i) {
  const { data } = app;
  if (!data.metrics.length) return [];
  const measured = data.about.models.flatMap(
    (_, model) =>
      data.metrics.some((_, k) => Number.isFinite(valueOf(data, k, model, i))) ? [model] : [],
  );
  const rows = measured.map((model) => {
    const { group, seed } = data.about.models[model];
    return element(
      "tr",
      { "data-model": `${data.groups[group].name} ${seed}` },
      element("th", { scope: "row" }, `${data.groups[group].title}, ${data.about.member} ${seed}`),
      ...data.metrics.map(
        (metric, k) => element(
          "td",
          { "data-metric": metric.name },
          shownNumber(valueOf(data, k, model, i)),
        ),
      ),
    );
  });
  const means = element(
    "tr",
    { class: "mean" },
    element(
      "th",
      { scope: "row" },
      "Mean over augmentations",
      element("br"),
      element("small", {}, "and share of images with at most this value"),
    ),
    ...data.metrics.map((metric) => {
      const numbers = numbersOf(data, app.columns, metric.name, -1);
      return element(
        "td",
        {},
        shownNumber(numbers[i]),
        element("br"),
        `${shownNumber(percentile(numbers, numbers[i]), 0)} %`,
        spark(numbers, numbers[i]),
      );
    }),
  );
  return [
    element("h3", {}, "Metrics of each model (of two maps: against its baselines)"),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { id: "metrics" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, "Model"),
            ...data.metrics.map((metric) => element("th", { scope: "col" }, metric.label)),
          ),
        ),
        element("tbody", {}, means, ...rows),
      ),
    ),
  ];
}

// A small histogram of all images with a line at this one.
function spark(numbers, x) {
  const { low, high, counts } = histogram(numbers, 24);
  const most = Math.max(...counts, 1);
  const bars = counts.map(
    (count, k) => svg(
      "rect",
      { x: 4 * k, y: 24 - (24 * count) / most, width: 3.5, height: (24 * count) / most },
    ),
  );
  const drawn = svg(
    "svg",
    { viewBox: "0 0 96 24", class: "spark", "aria-hidden": "true" },
    ...bars,
  );
  if (Number.isFinite(x) && high > low) {
    const place = linear(low, high, 0, 96)(x);
    drawn.append(svg("line", { x1: place, x2: place, y1: 0, y2: 24 }));
  }
  return drawn;
}
