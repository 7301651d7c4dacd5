// The panel of controls. Each control shows one key of the state and changes it.

function select(app, key, label, options, disabled = false) {
  const list = element(
    "select",
    { id: `control-${key}`, disabled, change: (event) => app.set({ [key]: event.target.value }) },
  );
  for (const [value, text] of options) {
    list.append(new Option(text, value, false, String(value) === String(app.state[key])));
  }
  return element("label", {}, element("span", {}, label), list);
}

function range(app, key, label, low, high, step) {
  const input = element(
    "input",
    {
      id: `control-${key}`,
      type: "range",
      min: low,
      max: high,
      step,
      value: app.state[key],
      input: (event) => app.set({ [key]: event.target.value }, false),
    },
  );
  return element("label", {}, element("span", {}, label), input);
}

const part = (title, ...children) => element(
  "fieldset",
  {},
  element("legend", {}, title),
  ...children,
);

function panel(app) {
  const { data, columns, state } = app;
  const classes = [["", "any"], ...data.about.classes.map((name, k) => [k, name])];
  const column = (key) => columns.find((one) => one.key === key);
  const groups = [
    ["", "all augmentations"],
    ...data.groups.map((group) => [group.name, group.title]),
  ];
  const labels = columns.map((one) => [one.key, one.label]);
  const { member } = data.about;
  const seeds = [
    ["", `mean over ${member}s`],
    ["all", `all ${member}s`],
    ...seedsOf(data).map((seed) => [seed, `${member} ${seed}`]),
  ];
  const predicts = data.about.predicts;
  const parts = [
    part(
      "Order",
      select(app, "sort", "Sort by", labels),
      select(app, "order", "Order", [["desc", "highest first"], ["asc", "lowest first"]]),
      data.groups.length > 1 && select(
        app,
        "of",
        column(state.sort)?.perGroup ? "Numbers of" : "Augmentation of filters",
        groups,
      ),
    ),
    part(
      "Images",
      select(app, "class", "True class", classes),
      predicts && select(app, "predicted", "Predicted by any model", classes),
      predicts && select(app, "correct", "Correctness", Object.entries(CORRECTNESS)),
      predicts && select(app, "agree", "Predictions", Object.entries(AGREEMENT)),
      ...limits(app),
      ...brushes(app),
      element(
        "p",
        { id: "count" },
        `${app.rows.length.toLocaleString("en")} of ${data.n.toLocaleString("en")} images`,
      ),
      element(
        "button",
        {
          type: "button",
          id: "reset",
          disabled: !FILTERS.some((key) => state[key]),
          click: () => app.set(Object.fromEntries(FILTERS.map((key) => [key, app.base[key]]))),
        },
        "Clear filters",
      ),
    ),
  ];
  if (state.view === "images" || state.view === "image") {
    parts.push(
      part(
        "Maps",
        select(
          app,
          "show",
          "Shown",
          Object.entries(SHOWN).filter(
            ([show]) => data.groups.length > 1 || data.about.models.length > 1 || ![
              "difference",
              "blink",
            ].includes(show),
          ),
        ),
        state.view === "images" && select(app, "seed", "Models", seeds),
        state.show !== "map" && range(app, "opacity", "Opacity", 0, 1, 0.05),
        data.about.regions.length > 0 && select(
          app,
          "region",
          "Outline of region",
          [["", "none"], ...data.about.regions.map((name) => [name, name])],
        ),
        range(app, "size", "Size", 48, 224, 8),
        colourBar(state.show === "difference"),
      ),
    );
  }
  if (state.view === "scatter" || state.view === "maps") {
    parts.push(
      part(
        "Points",
        state.view === "maps" && select(app, "plane", "Embedding", Object.entries(PLANES)),
        state.view === "scatter" && select(app, "x", "Horizontal", labels),
        state.view === "scatter" && select(app, "y", "Vertical", labels),
        predicts && select(
          app,
          "colour",
          "Colour",
          [["correct", "correctness"], ["class", "true class"]],
        ),
      ),
    );
  }
  return parts;
}

// Bounds of columns, such as the probability or a localisation score of a region.
function limits(app) {
  const { data, columns, state } = app;
  const chosen = state.limits ?? [];
  const changed = (k, limit) => {
    const rest = limit ? chosen.with(k, limit) : chosen.toSpliced(k, 1);
    app.set({ limits: rest.length ? rest : null });
  };
  const lines = chosen.map((limit, k) => {
    const [key, ...bounds] = limit;
    const { label } = columns.find((one) => one.key === key);
    const ends = extent(numbersOf(data, columns, key, groupOf(data, state)), 0);
    const bound = (place) =>
      element("input", {
        id: `control-limit-${k}-${place}`,
        type: "number",
        step: "any",
        value: bounds[place] ?? "",
        placeholder: shownNumber(ends[place], 3),
        "aria-label": `${label}, ${place ? "highest" : "lowest"}`,
        change: (event) => {
          const number = event.target.value === "" ? null : Number(event.target.value);
          changed(k, limit.with(place + 1, number));
        },
      });
    return element(
      "div",
      { class: "limit", "data-column": key },
      element("span", {}, label),
      bound(0),
      "to",
      bound(1),
      element(
        "button",
        {
          type: "button",
          "aria-label": `Remove the limits of ${label}`,
          click: () => changed(k, null),
        },
        "Remove",
      ),
    );
  });
  const list = element(
    "select",
    {
      id: "control-limits",
      change: (event) => app.set({ limits: [...chosen, [event.target.value, null, null]] }),
    },
    new Option("choose a number …", ""),
  );
  for (const { key, label } of columns) {
    if (!chosen.some(([other]) => other === key)) list.append(new Option(label, key));
  }
  return [...lines, element("label", {}, element("span", {}, "Limits of a number"), list)];
}

// A line for each selection in a plot, with a button that removes it.
function brushes(app) {
  return [["brush", "Scatter"], ["mapbrush", "Map clusters"]]
    .filter(([key]) => app.state[key])
    .map(([key, name]) =>
      element(
        "p",
        { class: "brush" },
        `Selected in ${name} `,
        element(
          "button",
          {
            type: "button",
            "aria-label": `Remove the selection in ${name}`,
            click: () => app.set({ [key]: null }),
          },
          "Remove",
        ),
      ),
    );
}
