// The answer: accuracy change and map shift of every augmentation, as in tables/summary.csv.

const PARTS = [
  {
    key: "accuracy_change",
    title: "Accuracy change, percentage points",
    p: "accuracy_change_p_holm",
    factor: 100,
    digits: 1,
  },
  { key: "net", title: "Net distance N", p: null, factor: 1, digits: 3 },
  { key: "tightening", title: "Tightening T", p: "tightening_p_holm", factor: 1, digits: 3 },
  { key: "shift", title: "Map shift E = N + T", p: "shift_p_holm", factor: 1, digits: 3 },
];

function answerView(app, root) {
  const { data } = app;
  const rows = data.about.summary;
  const first = rows[0];
  const ends = PARTS.map((part) =>
    extent(
      [
        0,
        ...rows.flatMap(
          (row) => ["", "_low", "_high"].map((end) => part.factor * (row[part.key + end] ?? NaN)),
        ),
      ],
      0.05,
    ),
  );
  const title = (name) => data.groups.find((group) => group.name === name)?.title ?? name;
  const references = [...new Set(rows.map((row) => title(row.reference)))].join("; ");
  const tested = [["note", "map shift"], ["accuracy_change_note", "accuracy change"]];
  const notes = tested.flatMap(([key, what]) =>
    [
      ...new Set(rows.map((row) => row[key]).filter(Boolean)),
    ].map((note) => `No test of the ${what}: ${note}.`),
  );
  root.replaceChildren(
    element("h2", {}, "What each augmentation changes"),
    element(
      "p",
      {},
      `${first.images.toLocaleString("en")} test images. Map distance: ${first.distance}. ` +
        `Reference: ${references}. Intervals: 95 %, of the map shift 90 %. ` +
        "Filled: p ≤ 0.05 after Holm’s correction.",
    ),
    ...notes.map((note) => element("p", {}, note)),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        { id: "summary", class: "answer" },
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, "Augmentation"),
            ...PARTS.map((part) => element("th", { scope: "col" }, part.title)),
            element("th", { scope: "col" }, "Shift, % of noise floor"),
            element("th", { scope: "col" }, "Metrics with significant shift"),
            element("th", { scope: "col" }, "Images"),
          ),
        ),
        element("tbody", {}, ...rows.map((row) => answerRow(app, row, ends, title))),
      ),
    ),
    element(
      "p",
      {},
      "Zero is what retraining with another seed gives. N: how much farther the maps of augmented " +
        "networks are from those of the reference than these are from each other. T: how much " +
        "more similar the maps of augmented networks are to each other, halved. “Show” sorts the " +
        "images by their own map shift under this augmentation.",
    ),
  );
}

function answerRow(app, row, ends, title) {
  const known = app.data.groups.some((group) => group.name === row.augmentation);
  const sort = app.columns.some((one) => one.key === "shift") ? "shift" : app.base.sort;
  return element(
    "tr",
    { "data-augmentation": row.augmentation },
    element(
      "th",
      { scope: "row" },
      title(row.augmentation),
      element("br"),
      element("small", {}, `${row.models} models against ${row.reference_models}`),
    ),
    ...PARTS.map(
      (part, k) => element("td", { "data-column": part.key }, ...intervalOf(row, part, ends[k])),
    ),
    element(
      "td",
      { "data-column": "relative_shift" },
      signed(100 * (row.relative_shift ?? NaN), 1),
    ),
    element("td", {}, row.tested ? `${row.significant} of ${row.tested}` : "–"),
    element(
      "td",
      {},
      known ? element(
        "button",
        {
          type: "button",
          "aria-label": `Show the images with the largest map shift under ${title(row.augmentation)}`,
          click: () => app.set({ view: "images", of: row.augmentation, sort, order: "desc" }),
        },
        "Show",
      ) : "",
    ),
  );
}

// The estimate as text, and a line with its interval; the marker is filled if it is significant.
function intervalOf(row, part, [low, high]) {
  const [x, from, to] = ["", "_low", "_high"].map(
    (end) => part.factor * (row[part.key + end] ?? NaN),
  );
  const place = linear(low, high, 4, 156);
  const drawn = svg("svg", { viewBox: "0 0 160 20", class: "interval", "aria-hidden": "true" });
  drawn.append(svg("line", { x1: place(0), x2: place(0), y1: 0, y2: 20, class: "zero" }));
  if (Number.isFinite(from) && Number.isFinite(to)) drawn.append(
    svg("line", { x1: place(from), x2: place(to), y1: 10, y2: 10 }),
  );
  const significant = part.p && row[part.p] !== null && row[part.p] <= 0.05;
  if (Number.isFinite(x)) drawn.append(
    svg("circle", { cx: place(x), cy: 10, r: 4, class: significant ? "filled" : "hollow" }),
  );
  const ends = [from, to].map((end) => signed(end, part.digits));
  const interval = Number.isFinite(from) ? ` (${ends.join(" to ")})` : "";
  return [
    drawn,
    element("span", { class: "number" }, element("b", {}, signed(x, part.digits)), interval),
  ];
}
