// Images: a row per image, a column per augmentation. Only rows in sight are in the document, except
// while the page is printed.

const PRINTED = 200; // rows that are printed at most

function imagesView(app, root) {
  const { data, state, rows } = app;
  const side = Number(state.size);
  const [width, high] = sizeOf(data, side);
  const height = high + 34;
  const shown = mapColumns(data, state.seed);
  const template = `7.5rem ${width + 8}px repeat(${shown.length}, ${Math.max(width, 84) + 8}px)`;
  const header = element(
    "div",
    { class: "row head", role: "row", "aria-rowindex": 1 },
    element("div", { role: "columnheader" }, "Image"),
    element("div", { role: "columnheader" }, ""),
    ...shown.map(({ title, group }) => {
      const { name, title: whole } = data.groups[group];
      const click = () => app.set({ of: state.of === name ? "" : name });
      return element(
        "div",
        { role: "columnheader", "data-title": title },
        element(
          "button",
          {
            type: "button",
            class: "link",
            "aria-pressed": String(state.of === name),
            title: `Sort by the numbers of ${whole}`,
            click,
          },
          title,
        ),
      );
    }),
  );
  const body = element("div", { class: "rows", role: "rowgroup" });
  body.style.height = `${rows.length * height}px`;
  const grid = element(
    "div",
    {
      class: "grid",
      id: "grid",
      role: "grid",
      tabindex: 0,
      "aria-label": "Images and maps; arrow keys choose a row, Enter opens it",
      "aria-rowcount": rows.length + 1,
    },
    element("div", { class: "heads", role: "rowgroup" }, header),
    body,
  );
  grid.style.setProperty("--columns", template);
  const printed = element("p", { id: "printed" });
  root.replaceChildren(printed, grid);
  if (!rows.length) body.append(element("p", {}, "No image passes all filters."));
  const live = new Map();

  function update() {
    const first = Math.max(0, Math.floor((grid.scrollTop - 2 * height) / height));
    const last = Math.min(
      rows.length,
      Math.ceil((grid.scrollTop + grid.clientHeight + 2 * height) / height),
    );
    fill(first, last);
    app.scroll = grid.scrollTop;
    mark();
  }
  // Puts the rows first … last - 1 into the document, in their order, and removes all others.
  function fill(first, last) {
    for (const [place, row] of live) {
      if (place < first || place >= last) {
        row.remove();
        live.delete(place);
      }
    }
    for (let place = first; place < last; place++) {
      if (live.has(place)) continue;
      const row = rowOf(app, rows[place], place, shown, side);
      row.style.top = `${place * height}px`;
      row.style.height = `${height}px`;
      live.set(place, row);
      body.append(row);
    }
  }
  function mark() {
    for (const [place, row] of live) {
      const active = place === app.active;
      row.classList.toggle("active", active);
      row.setAttribute("aria-selected", String(active));
      if (active) grid.setAttribute("aria-activedescendant", row.id);
    }
  }
  function choose(place) {
    app.active = Math.max(0, Math.min(rows.length - 1, place));
    const top = app.active * height;
    const sight = grid.clientHeight - header.offsetHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + height > grid.scrollTop + sight) grid.scrollTop = top + height - sight;
    update();
  }
  const page = () => Math.max(1, Math.floor(grid.clientHeight / height) - 1);
  grid.addEventListener("scroll", () => requestAnimationFrame(update), { passive: true });
  grid.addEventListener("keydown", (event) => {
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page(),
      PageUp: -page(),
      Home: -Infinity,
      End: Infinity,
    };
    if (event.target === grid && event.key in steps) {
      event.preventDefault();
      choose(app.active + steps[event.key]);
    } else if (event.target === grid && event.key === "Enter" && rows.length) {
      app.open(rows[app.active]);
    }
  });
  function clear() {
    for (const row of live.values()) row.remove();
    live.clear();
  }
  grid.scrollTop = app.scroll;
  update();
  app.redraw = () => {
    clear();
    update();
  };
  // A printed page has the rows of all filtered images, in their order; update removes them.
  app.print = () => {
    const last = Math.min(rows.length, PRINTED);
    printed.textContent = printedText(app, last);
    clear();
    fill(0, last);
  };
  app.afterPrint = update;
}

// The heading of a printed page: which images, in which order, and the address of this view.
function printedText({ data, columns, state, rows, address }, last) {
  const { label } = columns.find((one) => one.key === state.sort);
  const order = state.order === "asc" ? "ascending" : "descending";
  const group = groupOf(data, state);
  const of = group < 0 ? "" : ` of ${data.groups[group].title}`;
  const total = rows.length.toLocaleString("en");
  const which = last < rows.length ? `the first ${last} of ${total}` : `all ${total}`;
  const all = data.n.toLocaleString("en");
  return (
    `${data.about.study}: ${which} images that pass the filters (of ${all}), by ${label}${of}, ` +
    `${order}. View: ${address({})}`
  );
}

function rowOf(app, i, place, shown, side) {
  const { data, state } = app;
  const name = data.about.classes[data.label[i]];
  const sorting = app.columns.find((one) => one.key === state.sort);
  const number = numbersOf(data, app.columns, state.sort, groupOf(data, state))[i];
  const metric = data.metrics.findIndex((entry) => entry.name === state.sort);
  return element(
    "div",
    {
      class: "row",
      role: "row",
      id: `row-${place}`,
      "aria-rowindex": place + 2,
      "data-image": data.index[i],
      click: () => app.open(i),
    },
    element(
      "div",
      { role: "rowheader", class: "name" },
      element(
        "a",
        {
          href: app.address({ view: "image", image: String(data.index[i]) }),
          tabindex: -1,
          click: (event) => event.preventDefault(),
        },
        `${data.index[i]}`,
      ),
      element("span", {}, name),
      state.sort !== "index" && element(
        "span",
        { class: "number", "data-sort": state.sort },
        shownNumber(number, sorting.digits),
      ),
    ),
    element(
      "div",
      { role: "gridcell" },
      canvasOf(
        data,
        i,
        side,
        {
          label: `Image ${data.index[i]}, class ${name}`,
          region: data.about.regions.indexOf(state.region),
        },
      ),
    ),
    ...shown.map(({ title, models }) => {
      if (!models.length) return element("div", { role: "gridcell", class: "empty" }, "–");
      const text = caption(data, models, i, metric);
      return element(
        "div",
        { role: "gridcell" },
        mapView(app, i, models, side, `Map of ${title}, ${text}`),
        element("span", { class: "caption" }, ...marked(data, models, i, metric)),
      );
    }),
  );
}

// The text below a map: correctness or prediction, and the metric by which images are sorted.
function marked(data, models, i, metric) {
  const parts = [];
  if (data.about.predicts) {
    const correct = models.filter((model) => isCorrect(data, model, i)).length;
    const single = data.about.classes[predictedBy(data, models[0], i)];
    const text = models.length > 1 ? `${correct}/${models.length}` : single;
    parts.push(
      element(
        "span",
        { class: 2 * correct > models.length ? "right" : "wrong", title: text },
        `${2 * correct > models.length ? "✓" : "✗"} ${text}`,
      ),
    );
  }
  const number = metric < 0 ? NaN : mean(models.map((model) => valueOf(data, metric, model, i)));
  if (Number.isFinite(number)) parts.push(
    element("span", { class: "number" }, shownNumber(number)),
  );
  return parts;
}

function caption(data, models, i, metric) {
  const correct = data.about.predicts ? models.filter(
    (model) => isCorrect(data, model, i),
  ).length : 0;
  const number = metric < 0 ? NaN : mean(models.map((model) => valueOf(data, metric, model, i)));
  const texts = data.about.predicts ? [
    `${correct} of ${models.length} models correct`,
  ] : [`${models.length} models`];
  if (Number.isFinite(number)) texts.push(`${data.metrics[metric].label} ${shownNumber(number)}`);
  return texts.join(", ");
}
