// Canvases of images and maps, and small helpers for the document. Text is always set as text.

const SEQUENTIAL_TABLE = table(SEQUENTIAL);
const DIVERGING_TABLE = table(DIVERGING);

// An element with attributes and children; strings become text, functions listeners.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Sheets of images, decoded when one of their images is first drawn.
const sheets = new Map();

function sheetOf(data, number) {
  if (!sheets.has(number)) {
    const image = new Image();
    image.src = `data:${data.about.images.type};base64,${blockTexts(`sheet-${number}`).join("")}`;
    sheets.set(number, { image, ready: image.decode() });
  }
  return sheets.get(number);
}

// Size in CSS pixels of an image whose longer side is `side`.
function sizeOf(data, side) {
  const { height, width } = data.about.images;
  const factor = side / Math.max(height, width);
  return [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))];
}

// A canvas of an image. options: map (values from 0 to 255, or differences from −255 to 255), opacity
// of the map, or whether it is alone; label for screen readers; region whose outline is drawn.
function canvasOf(data, i, side, options) {
  const { map = null, difference = false, opacity = 1, alone = false, label = "" } = options;
  const { region = -1 } = options;
  const [width, height] = sizeOf(data, side);
  const ratio = window.devicePixelRatio || 1;
  const canvas = element(
    "canvas",
    {
      width: Math.round(width * ratio),
      height: Math.round(height * ratio),
      ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
    },
  );
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const over = map && mapCanvas(data, map, difference);
  const line = region >= 0 && outlineCanvas(data, region, i);
  const paint = (image) => {
    const context = canvas.getContext("2d");
    if (image) {
      const { height: h, width: w, cell, columns, rows } = data.about.images;
      const place = i % (rows * columns);
      context.imageSmoothingEnabled = canvas.width < 2 * w;
      context.drawImage(
        image,
        (place % columns) * cell[1],
        Math.floor(place / columns) * cell[0],
        w,
        h,
        0,
        0,
        canvas.width,
        canvas.height,
      );
    }
    if (over) {
      context.globalAlpha = alone ? 1 : opacity;
      context.imageSmoothingEnabled = true;
      context.drawImage(over, 0, 0, canvas.width, canvas.height);
    }
    if (line) {
      context.globalAlpha = 1;
      context.imageSmoothingEnabled = false;
      context.drawImage(line, 0, 0, canvas.width, canvas.height);
    }
  };
  if (alone) {
    paint(null);
    return canvas;
  }
  const { rows, columns } = data.about.images;
  const sheet = sheetOf(data, Math.floor(i / (rows * columns)));
  if (sheet.loaded) paint(sheet.image);
  else {
    sheet.ready.then(() => {
      sheet.loaded = true;
      paint(sheet.image);
    });
  }
  return canvas;
}

function mapCanvas(data, map, difference) {
  const [height, width] = data.about.map;
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const colours = difference ? DIVERGING_TABLE : SEQUENTIAL_TABLE;
  for (let k = 0; k < map.length; k++) {
    const v = Math.round(difference ? (map[k] + 255) / 2 : map[k]);
    for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = colours[3 * v + c];
    pixels.data[4 * k + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function outlineCanvas(data, region, i) {
  const { height, width } = data.about.images;
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  outline(data, region, i).forEach((on, k) => on && pixels.data.set([255, 0, 200, 255], 4 * k));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// The map of some models in the way that the state asks for.
function mapView(app, i, models, side, label, presentation = app.state.show) {
  const { data, state } = app;
  const reference = data.groups[data.baseline].models;
  const region = data.about.regions.indexOf(state.region);
  const options = { opacity: Number(state.opacity), alone: presentation === "map", label, region };
  if (presentation === "difference") {
    const map = meanMap(data, models, i);
    const other = meanMap(data, shownReference(app, reference), i);
    return canvasOf(
      data,
      i,
      side,
      { ...options, map: map.map((x, k) => x - other[k]), difference: true },
    );
  }
  const blinking = presentation === "blink" && app.phase;
  const map = meanMap(data, blinking ? shownReference(app, reference) : models, i);
  return canvasOf(data, i, side, { ...options, map });
}

// The baselines with which a map is compared: that of the seed shown, if there is one.
function shownReference(app, reference) {
  const own = shownModels(app.data, app.data.baseline, app.state.seed);
  return own.length ? own : reference;
}

// A bar with the colours of maps or of differences, and what its ends mean.
function colourBar(difference) {
  const canvas = element(
    "canvas",
    {
      width: 256,
      height: 1,
      class: "bar",
      role: "img",
      "aria-label": difference
        ? "Colours from blue, lower than the baseline, to orange, higher"
        : "Colours from dark, low, to yellow, high",
    },
  );
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(256, 1);
  const colours = difference ? DIVERGING_TABLE : SEQUENTIAL_TABLE;
  for (let v = 0; v < 256; v++) pixels.data.set(
    [...colours.subarray(3 * v, 3 * v + 3), 255],
    4 * v,
  );
  context.putImageData(pixels, 0, 0);
  const ends = difference ? ["lower than the baseline", "higher"] : ["low", "high"];
  return element(
    "div",
    { class: "legend" },
    canvas,
    element("span", {}, ends[0]),
    element("span", {}, ends[1]),
  );
}
