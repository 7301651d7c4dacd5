// The page: loading, state, keyboard.

const RENDER = {
  answer: answerView,
  images: imagesView,
  image: imageView,
  scatter: scatterView,
  maps: clustersView,
};
const KEYS = [
  ["1 – 5", "views, in the order of the tabs"],
  ["↑ ↓ Page Home End", "choose a row of Images"],
  ["Enter", "open the chosen image"],
  ["← →", "previous, next image in this order (One image)"],
  ["Esc", "back to Images"],
  ["o, m, d", "maps over the image, alone, difference from the baseline"],
  ["b", "alternate with the baseline"],
  ["?", "this help"],
];
// Keys of the state that decide which images are shown and in which order.
const SELECTING = ["sort", "of", "order", "x", "y", "plane", ...FILTERS];
const BLINK = 700; // milliseconds
const PAPER = 1045; // CSS pixels across a printed page, A4 landscape without margins

async function start() {
  const began = performance.now();
  const about = JSON.parse(document.getElementById("about").textContent);
  if (about.format !== FORMAT) throw new Error(`format ${about.format}, expected ${FORMAT}`);
  await loadShards(about);
  const names = Object.keys(about.arrays);
  const arrays = await Promise.all(
    names.map((name) => unpacked(blockTexts(name), about.arrays[name].type)),
  );
  const data = study(about, Object.fromEntries(names.map((name, k) => [name, arrays[k]])));
  const app = application(data);
  document.title = `${about.study} · campare explorer`;
  document.getElementById("title").textContent = about.study;
  variantList(about);
  help(about);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    app.view.focus();
  });
  document.getElementById("theme").addEventListener(
    "click",
    () => app.set({ theme: isDark(app) ? "light" : "dark" }),
  );
  window.addEventListener("hashchange", () => app.read());
  window.addEventListener("resize", () => app.render());
  window.addEventListener("beforeprint", () => {
    app.print();
    fitToPaper();
  });
  window.addEventListener("afterprint", () => app.afterPrint());
  document.addEventListener("keydown", (event) => keyboard(app, event));
  setInterval(() => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { show, view } = app.state;
    if (show !== "blink" || still || !["images", "image"].includes(view)) return;
    app.phase = !app.phase;
    app.redraw();
  }, BLINK);
  app.read();
  document.documentElement.dataset.ready = Math.round(performance.now() - began);
}

// Wide tables are printed smaller, so that the paper does not cut them off.
function fitToPaper() {
  const wide = [...document.querySelectorAll(".scroll, .grid")].map((table) => table.scrollWidth);
  document.documentElement.style.setProperty("--fit", Math.min(1, PAPER / Math.max(1, ...wide)));
}

function application(data) {
  const columns = columnsOf(data);
  const base = initial(data, columns);
  const allowed = allowedIn(data, columns);
  const rowOfImage = new Map(Array.from(data.index, (index, i) => [String(index), i]));
  const app = {
    data,
    columns,
    base,
    state: base,
    rows: [],
    active: 0,
    scroll: 0,
    phase: false, // of alternation with the baseline
    view: document.getElementById("view"),
    redraw() {},
    print() {},
    afterPrint() {},
    address: (changes) => formatted({ ...app.state, ...changes }, base),
    // Takes the state from the address.
    read() {
      app.state = parsed(location.hash, base, allowed);
      app.choose();
      app.render();
    },
    // Changes the state; `step`: whether the browser's Back returns to the state before.
    set(changes, step = true) {
      const before = app.state;
      app.state = { ...before, ...changes };
      // A selection belongs to its plane.
      if (app.state.plane !== before.plane) app.state.mapbrush = null;
      const address = app.address({});
      remember(address, step && app.state.view !== before.view);
      if (SELECTING.some((key) => app.state[key] !== before[key])) app.choose();
      // While a slider is moved, the panel with the slider stays.
      if (step) app.render();
      else RENDER[app.state.view](app, app.view);
      if (app.state.view !== before.view) app.view.focus({ preventScroll: true });
    },
    choose() {
      app.rows = selected(data, columns, app.state);
      app.active = Math.max(0, app.rows.indexOf(app.current()));
      app.scroll = 0;
      announce(`${app.rows.length} of ${data.n} images`);
    },
    current: () => rowOfImage.get(app.state.image) ?? app.rows[0],
    open(i) {
      app.active = Math.max(0, app.rows.indexOf(i));
      app.set({ view: "image", image: String(data.index[i]) });
    },
    step(by) {
      if (app.rows.length) app.open(neighbour(app.rows, app.current(), by));
    },
    render() {
      app.redraw = () => app.render();
      app.print = app.afterPrint = () => {};
      const root = document.documentElement;
      root.dataset.theme = isDark(app) ? "dark" : "light";
      document.getElementById("theme").textContent = isDark(app) ? "Light" : "Dark";
      tabs(app);
      refill(document.getElementById("panel"), panel(app));
      document.getElementById("panel").hidden = app.state.view === "answer";
      document.getElementById("body").dataset.view = app.state.view;
      RENDER[app.state.view](app, app.view);
    },
  };
  return app;
}

// Changes the address. A page inside another one, such as a report, may not be allowed to.
function remember(address, step) {
  try {
    history[step ? "pushState" : "replaceState"](null, "", address);
  } catch {
    // The page works without its state in the address.
  }
}

// Replaces children and keeps the focus on the control with the same id.
function refill(root, children) {
  const focused = document.activeElement?.id;
  const scroll = root.scrollTop;
  root.replaceChildren(...children.filter(Boolean));
  root.scrollTop = scroll;
  if (focused?.startsWith("control-")) document.getElementById(focused)?.focus();
}

function tabs(app) {
  const shown = Object.entries(VIEWS).filter(
    ([view]) => view !== "answer" || app.data.about.summary.length,
  );
  const links = shown.map(([view, title]) =>
    element(
      "a",
      {
        href: app.address({ view }),
        "aria-current": view === app.state.view ? "page" : null,
        "data-view": view,
        click: (event) => {
          if (event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          app.set({ view });
        },
      },
      title,
    ),
  );
  document.getElementById("tabs").replaceChildren(...links);
}

// Pages of the other ways of making maps; the state goes with the address. In the zipped report of
// Snakemake each page has a folder of its own; in the report as one file it has no address.
function variantList(about) {
  if (about.variants.length < 2 || location.protocol === "data:") return;
  const { report } = about.variants.find((variant) => variant.current);
  const archived = location.pathname.endsWith(`/data/raw/${report}/explorer.html`);
  const label = document.getElementById("variants");
  const list = label.querySelector("select");
  for (const { title, current, file, report } of about.variants) {
    const page = archived ? `../${report}/explorer.html` : file;
    list.append(new Option(title, page, current, current));
  }
  list.addEventListener("change", () => {
    location.href = list.value.split("/").map(encodeURIComponent).join("/") + location.hash;
  });
  label.hidden = false;
}

function help(about) {
  const section = document.getElementById("help");
  const button = document.getElementById("help-button");
  section.append(
    element("h2", {}, "Keys"),
    element(
      "dl",
      {},
      ...KEYS.flatMap(([key, what]) => [element("dt", {}, key), element("dd", {}, what)]),
    ),
    element("p", {}, "The address of the page contains its state: copy it to share a view."),
    element("h2", {}, "Contents"),
    element("p", {}, contents(about)),
    ...tableLinks(about),
  );
  button.addEventListener("click", () => {
    section.hidden = !section.hidden;
    button.setAttribute("aria-expanded", String(!section.hidden));
  });
}

// Links to the tables of the study, which are next to the page in its results folder.
function tableLinks({ tables }) {
  if (!tables.length) return [];
  const name = (file) => file.replace("tables/", "").replace(".html", "");
  const links = tables.map((file) =>
    element("li", {}, element("a", { href: encodeURI(file) }, name(file))),
  );
  return [
    element("h2", {}, "Tables"),
    element("p", {}, "All tables of the study, if the page is in its results folder:"),
    element("ul", { id: "tables" }, ...links),
  ];
}

function keyboard(app, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const views = [...document.querySelectorAll("#tabs a")].map((link) => link.dataset.view);
  const atTop = event.target === document.body;
  const presentations = { o: "overlay", m: "map", d: "difference" };
  const { state } = app;
  if (views[Number(event.key) - 1]) app.set({ view: views[Number(event.key) - 1] });
  else if (event.key === "Escape" && state.view !== "images") app.set({ view: "images" });
  else if (event.key === "?") document.getElementById("help-button").click();
  else if (event.key in presentations) app.set({ show: presentations[event.key] });
  else if (event.key === "b") {
    // Without motion, each press changes between the two maps.
    app.phase = state.show === "blink" && !app.phase;
    if (state.show === "blink") app.redraw();
    else app.set({ show: "blink" });
  } else if (state.view === "image" && event.key === "ArrowRight") app.step(1);
  else if (state.view === "image" && event.key === "ArrowLeft") app.step(-1);
  else if (state.view === "images" && event.key.startsWith("Arrow") && atTop) {
    document.getElementById("grid").focus();
  } else return;
  event.preventDefault();
}

// What the page contains, and whether maps or images are smaller than in the study.
function contents(about) {
  const size = ([height, width]) => `${height} × ${width}`;
  const reduced = (now, original) =>
    size(now) === size(original) ? "" : `, reduced from ${size(original)}`;
  const { height, width, original } = about.images;
  const { title } = about.variants.find((variant) => variant.current);
  return [
    `${about.count.toLocaleString("en")} test images (${size([height, width])} pixels` +
      `${reduced([height, width], original)}), ${about.models.length} networks.`,
    `Maps: ${title}; ${size(about.map)} cells${reduced(about.map, about.map_original)}; ` +
      "negative values set to zero, each map scaled from its minimum to its maximum.",
  ].join(" ");
}

const isDark = (app) =>
  app.state.theme ? app.state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

function announce(text) {
  document.getElementById("announcement").textContent = text;
}

start().catch((error) => {
  const status = document.getElementById("status") ?? document.getElementById("view");
  const remedy = error.remedy ?? "It needs a browser of 2023 or later.";
  status.textContent = `The page cannot be shown: ${error.message}. ${remedy}`;
  throw error;
});
