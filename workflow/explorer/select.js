// Which images are shown, and in which order.

const CORRECTNESS = {
  "": "any",
  all: "every model correct",
  none: "every model incorrect",
  differ: "some models correct, some not",
  lost: "baseline correct, augmentation not",
  gained: "augmentation correct, baseline not",
};
const AGREEMENT = { "": "any", same: "all models predict one class", differ: "predictions differ" };

// Whether most models of a group are correct.
const mostlyCorrect = (data, group, i) =>
  2 * correctIn(data, group, i) > data.groups[group].models.length;

function hasCorrectness(data, filter, group, i) {
  if (!filter) return true;
  const models = data.about.models.length;
  const correct = data.groups.reduce((sum, _, g) => sum + correctIn(data, g, i), 0);
  if (filter === "all") return correct === models;
  if (filter === "none") return correct === 0;
  if (filter === "differ") return correct > 0 && correct < models;
  const groups = group >= 0 ? [group] : data.augmented;
  const baseline = mostlyCorrect(data, data.baseline, i);
  if (filter === "lost") return baseline && groups.some((g) => !mostlyCorrect(data, g, i));
  return !baseline && groups.some((g) => mostlyCorrect(data, g, i));
}

function hasAgreement(data, filter, i) {
  if (!filter) return true;
  const first = predictedBy(data, 0, i);
  const same = data.about.models.every((_, model) => predictedBy(data, model, i) === first);
  return same === (filter === "same");
}

// The place of the group that a state names; −1 for all augmentations.
const groupOf = (data, state) => data.groups.findIndex((group) => group.name === state.of);

const within = (x, low, high) => x >= low && x <= high;

// Whether an image is inside the rectangle of a brush: [x from, x to, y from, y to].
const inBrush = (brush, xs, ys, i) =>
  !brush || (within(xs[i], brush[0], brush[1]) && within(ys[i], brush[2], brush[3]));

// Rows of the images that pass all filters of a state, in its order: undefined numbers last.
function selected(data, columns, state) {
  const group = groupOf(data, state);
  const models = modelsOf(data, group);
  const brushes = [
    [
      state.brush,
      () => [numbersOf(data, columns, state.x, group), numbersOf(data, columns, state.y, group)],
    ],
    [state.mapbrush, () => embeddingOf(data, embeddedGroup(data, state), state.plane)],
  ].map(([brush, axes]) => (brush ? [brush, ...axes()] : null));
  const limits = (state.limits ?? [])
    .filter(([, low, high]) => low !== null || high !== null)
    .map(([key, low, high]) =>
      [numbersOf(data, columns, key, group), low ?? -Infinity, high ?? Infinity],
    );
  const predicts = data.about.predicts;
  const kept = [];
  for (let i = 0; i < data.n; i++) {
    if (state.class !== "" && data.label[i] !== Number(state.class)) continue;
    if (predicts) {
      const predicted = Number(state.predicted);
      const some = models.some((model) => predictedBy(data, model, i) === predicted);
      if (state.predicted !== "" && !some) continue;
      if (!hasCorrectness(data, state.correct, group, i)) continue;
      if (!hasAgreement(data, state.agree, i)) continue;
    }
    if (!limits.every(([numbers, low, high]) => within(numbers[i], low, high))) continue;
    if (brushes.some((one) => one && !inBrush(...one, i))) continue;
    kept.push(i);
  }
  const numbers = numbersOf(data, columns, state.sort, group);
  const sign = state.order === "asc" ? 1 : -1;
  return kept.sort((a, b) => {
    const x = numbers[a];
    const y = numbers[b];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
    return sign * (x - y) || a - b;
  });
}

// The group whose maps the embedding shows: the one of the state, otherwise the first.
const embeddedGroup = (data, state) => Math.max(0, groupOf(data, state));

// Places of the maps of a group in a plane (of PLANES): [x, y], each Float64Array (n).
function embeddingOf(data, group, plane) {
  const name = `embedding ${plane} ${group}`;
  if (!data.cache.has(name)) {
    const block = plane === "pca" ? "embedding" : "spectral";
    const axes = data.about[block].map((entry, axis) => {
      const start = (axis * data.groups.length + group) * data.n;
      return Float64Array.from(
        { length: data.n },
        (_, i) => decoded(data[block][start + i], entry.scale),
      );
    });
    data.cache.set(name, axes);
  }
  return data.cache.get(name);
}

// Share of the numbers that are at most x, in per cent; NaN for an undefined x.
function percentile(numbers, x) {
  if (Number.isNaN(x)) return NaN;
  let below = 0;
  let count = 0;
  for (const y of numbers) {
    if (Number.isNaN(y)) continue;
    count += 1;
    if (y <= x) below += 1;
  }
  return count ? (100 * below) / count : NaN;
}
