// The state of the page, which is in its address: #view=image&image=947&sort=mad.

const DEFAULTS = {
  view: "images",
  image: "", // position in the data set
  sort: "index",
  of: "", // augmentation whose numbers are used; all
  order: "desc",
  class: "",
  predicted: "",
  correct: "",
  agree: "",
  seed: "", // mean over seeds; "all": a column for each model
  show: "overlay",
  opacity: "0.55",
  size: "88", // pixels of an image in the grid
  region: "", // whose outline is drawn; none
  x: "",
  y: "",
  colour: "correct",
  brush: null,
  mapbrush: null,
  plane: "pca", // of the map clusters
  limits: null, // of numbers of images: [[column, from, to], …]; null: no bound
  theme: "",
};
const VIEWS = {
  answer: "Answer",
  images: "Images",
  image: "One image",
  scatter: "Scatter",
  maps: "Map clusters",
};
const SHOWN = {
  overlay: "over the image",
  map: "alone",
  difference: "difference from the baseline",
  blink: "alternating with the baseline",
};
const PLANES = { pca: "principal components", spectral: "spectral (neighbouring maps)" };
const FILTERS = ["class", "predicted", "correct", "agree", "limits", "brush", "mapbrush"];

// Defaults that depend on the study.
function initial(data, columns) {
  const keys = columns.map((one) => one.key);
  const first = (...preferred) => preferred.find((key) => keys.includes(key)) || keys[0];
  return {
    ...DEFAULTS,
    view: data.about.summary.length ? "answer" : "images",
    sort: first("shift", "augmentations", "seeds"),
    order: first("shift", "augmentations", "seeds") === "index" ? "asc" : "desc",
    x: first("confidence", "seeds"),
    y: first("shift", data.metrics[0]?.name, "augmentations"),
    colour: data.about.predicts ? "correct" : "class",
    size: String(fittingSize(data.groups.length)),
  };
}

// The size of images with which the columns of so many groups fit into a usual window.
const fittingSize = (groups) => Math.max(
  64,
  Math.min(128, 8 * Math.floor((1000 / (groups + 1) - 10) / 8)),
);

// The state in an address; unknown keys and values that no view accepts are ignored.
function parsed(hash, base, allowed) {
  const state = { ...base };
  for (const [key, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (!Object.hasOwn(base, key)) continue;
    if (key === "brush" || key === "mapbrush") {
      const numbers = value.split(",").map(Number);
      if (numbers.length === 4 && numbers.every(Number.isFinite)) state[key] = numbers;
    } else if (key === "limits") {
      state.limits = parsedLimits(value, allowed.sort);
    } else if (!allowed[key] || allowed[key](value)) {
      state[key] = value;
    }
  }
  return state;
}

// Limits in an address: "from,to,column;…", without those of unknown columns; null if none remains.
function parsedLimits(text, isColumn) {
  const limits = text.split(";").flatMap((item) => {
    const [low, high, ...rest] = item.split(",");
    const bounds = [low, high].map((bound) => (bound ? Number(bound) : null));
    const column = unescaped(rest.join(","));
    return isColumn(column) && !bounds.some(Number.isNaN) ? [[column, ...bounds]] : [];
  });
  return limits.length ? limits : null;
}

const formattedLimits = (limits) =>
  limits.map(([column, low, high]) => [low ?? "", high ?? "", escaped(column)].join(",")).join(";");
const escaped = (name) => name.replace(/[%;]/g, (sign) => (sign === "%" ? "%25" : "%3B"));
const unescaped = (name) => name.replaceAll("%3B", ";").replaceAll("%25", "%");

// The address of a state: what differs from the defaults.
function formatted(state, base) {
  const query = new URLSearchParams();
  for (const key of Object.keys(base)) {
    const value = state[key];
    if (key.endsWith("brush")) {
      if (value) query.set(key, value.map((x) => Number(x.toPrecision(6))).join(","));
    } else if (key === "limits") {
      if (value) query.set(key, formattedLimits(value));
    } else if (value !== base[key]) {
      query.set(key, value);
    }
  }
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `#${text}` : "#";
}

// Which values of a key are allowed.
function allowedIn(data, columns) {
  const keys = columns.map((one) => one.key);
  const oneOf = (values) => (value) => values.map(String).includes(value);
  const number = (low, high) => (value) => value !== "" && within(Number(value), low, high);
  const classes = ["", ...data.about.classes.keys()];
  return {
    view: oneOf(
      Object.keys(VIEWS).filter((view) => view !== "answer" || data.about.summary.length),
    ),
    image: oneOf(["", ...data.index]),
    sort: oneOf(keys),
    of: oneOf(["", ...data.groups.map((group) => group.name)]),
    order: oneOf(["asc", "desc"]),
    class: oneOf(classes),
    predicted: oneOf(classes),
    correct: oneOf(Object.keys(CORRECTNESS)),
    agree: oneOf(Object.keys(AGREEMENT)),
    seed: oneOf(["", "all", ...seedsOf(data)]),
    show: oneOf(Object.keys(SHOWN)),
    opacity: number(0, 1),
    size: number(32, 256),
    region: oneOf(["", ...data.about.regions]),
    x: oneOf(keys),
    y: oneOf(keys),
    colour: oneOf(["correct", "class"]),
    plane: oneOf(Object.keys(PLANES)),
    theme: oneOf(["", "light", "dark"]),
  };
}

// The image that is `step` places after the present one in the order shown; the first if none is.
function neighbour(rows, i, step) {
  const place = rows.indexOf(i);
  if (place < 0) return rows[0];
  return rows[Math.min(rows.length - 1, Math.max(0, place + step))];
}
