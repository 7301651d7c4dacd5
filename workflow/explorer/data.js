// The data of a study: unpacked blocks, and the numbers of an image under a model.
// Layout: docs/explorer.md.

const FORMAT = 1;
const MISSING = 65535; // an undefined number among uint16
const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = binary.charCodeAt(k);
  return bytes;
}

// An array from its base64 texts, which are parts of one gzip stream.
async function unpacked(texts, type) {
  const stream = new Blob(texts.map(bytesOf)).stream().pipeThrough(new DecompressionStream("gzip"));
  return new TYPES[type](await new Response(stream).arrayBuffer());
}

// `about` and arrays by name → what all views read.
function study(about, arrays) {
  const cells = about.map[0] * about.map[1];
  const baseline = about.groups.findIndex((group) => group.kind === "baseline");
  const augmented = about.groups.flatMap((group, g) => (group.kind === "augmentation" ? [g] : []));
  return {
    about,
    ...arrays,
    n: about.count,
    cells,
    groups: about.groups,
    baseline: Math.max(0, baseline),
    augmented,
    metrics: about.values,
    cache: new Map(),
  };
}

// Whether a pixel of an image belongs to a region; masks are bits, the first in the highest place.
function inRegion(data, region, i, pixel) {
  const { height, width } = data.about.images;
  const bit = (i * data.about.regions.length + region) * height * width + pixel;
  return (data.regions[bit >> 3] >> (7 - (bit & 7))) & 1;
}

// The pixels of a region that touch a pixel outside of it: 1, others 0.
function outline(data, region, i) {
  const { height, width } = data.about.images;
  const found = new Uint8Array(height * width);
  const inside = (y, x) => y >= 0 && y < height && x >= 0 && x < width && inRegion(
    data,
    region,
    i,
    y * width + x,
  );
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const beside = [[y - 1, x], [y + 1, x], [y, x - 1], [y, x + 1]];
      if (inside(y, x) && !beside.every((place) => inside(...place))) found[y * width + x] = 1;
    }
  }
  return found;
}

const decoded = (q, scale) => (q === MISSING ? NaN : scale.low + scale.step * q);

// A metric of an image under one model, against its baselines; NaN if undefined.
function valueOf(data, metric, model, i) {
  const place = (metric * data.about.models.length + model) * data.n + i;
  return decoded(data.values[place], data.metrics[metric].scale);
}

// The mean over the models of a group for which the metric is defined, as in aggregate.parquet.
const groupValue = (data, metric, group, i) =>
  mean(data.groups[group].models.map((model) => valueOf(data, metric, model, i)));

// The mean of the finite numbers; NaN if there are none.
function mean(numbers) {
  let sum = 0;
  let count = 0;
  for (const x of numbers) {
    if (Number.isFinite(x)) {
      sum += x;
      count += 1;
    }
  }
  return count ? sum / count : NaN;
}

const predictedBy = (data, model, i) => data.predicted[model * data.n + i];
const isCorrect = (data, model, i) => predictedBy(data, model, i) === data.label[i];
const probabilityOf = (data, model, i) =>
  decoded(data.probability[model * data.n + i], data.about.probability);
const peakOf = (data, model, i) => decoded(data.peak[model * data.n + i], data.about.peak);

const correctIn = (data, group, i) =>
  data.groups[group].models.filter((model) => isCorrect(data, model, i)).length;

// The mean map of some models: Float32Array of h·w values from 0 to 255.
function meanMap(data, models, i) {
  const sum = new Float32Array(data.cells);
  for (const model of models) {
    const start = (model * data.n + i) * data.cells;
    for (let k = 0; k < data.cells; k++) sum[k] += data.maps[start + k];
  }
  for (let k = 0; k < data.cells; k++) sum[k] /= models.length;
  return sum;
}

// The models of a group that are shown together: all of them, or that of one seed, if it has one.
function shownModels(data, group, seed) {
  const models = data.groups[group].models;
  if (seed === "" || seed === "all") return models;
  return models.filter((model) => String(data.about.models[model].seed) === String(seed));
}

// Columns of maps: { title, group, models }, one for each group, or for each model.
function mapColumns(data, seed) {
  return data.groups.flatMap(({ title, models }, group) =>
    seed === "all"
      ? models.map(
        (model) => ({ title: `${title} ${data.about.models[model].seed}`, group, models: [model] }),
      )
      : [{ title, group, models: shownModels(data, group, seed) }],
  );
}

const seedsOf = (data) => [...new Set(data.about.models.map((model) => model.seed))];

// Standard deviation, with n − 1, of maps at each cell, averaged over cells, from 0 to 1.
function spread(maps) {
  const cells = maps[0].length;
  let total = 0;
  for (let k = 0; k < cells; k++) {
    let sum = 0;
    let squares = 0;
    for (const map of maps) {
      sum += map[k];
      squares += map[k] * map[k];
    }
    const variance = (squares - (sum * sum) / maps.length) / (maps.length - 1);
    total += Math.sqrt(Math.max(0, variance));
  }
  return total / cells / 255;
}

const mapOf = (data, model, i) =>
  data.maps.subarray((model * data.n + i) * data.cells, (model * data.n + i + 1) * data.cells);
