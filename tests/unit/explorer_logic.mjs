// Unit tests of the explorer's logic: node --test explorer_logic.mjs, with EXPLORER and MODULES set by
// test_explorer_logic.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const context = vm.createContext({ URLSearchParams });
for (const name of process.env.MODULES.split(",")) {
  vm.runInContext(readFileSync(`${process.env.EXPLORER}/${name}.js`, "utf8"), context, { filename: `${name}.js` });
}
const get = (name) => vm.runInContext(name, context);
const plain = (value) => JSON.parse(JSON.stringify(value));

// Two baselines and two models of one augmentation; three images; maps of one row of two cells.
function small(changes = {}) {
  const scale = { low: 0, step: 0.1 };
  const about = {
    count: 3,
    map: [1, 2],
    predicts: true,
    member: "seed",
    regions: [],
    images: { height: 3, width: 4 },
    classes: ["cat", "dog"],
    models: [{ group: 0, seed: 1 }, { group: 0, seed: 2 }, { group: 1, seed: 1 }, { group: 1, seed: 3 }],
    groups: [
      { name: "baseline", title: "Baseline", kind: "baseline", models: [0, 1] },
      { name: "affine", title: "Affine", kind: "augmentation", models: [2, 3] },
    ],
    values: [{ name: "mad", label: "MAD", scale }],
    probability: { low: 0, step: 0.01 },
    embedding: [{ scale, explained: 0.6 }, { scale, explained: 0.2 }],
    spectral: [{ scale }, { scale }],
    summary: [{ augmentation: "affine", component: 0, distance: "1 − overlap" }],
    components: [{ scale: { low: -1, step: 0.5 } }, { scale: { low: 0, step: 1 } }],
    ...changes,
  };
  const missing = get("MISSING");
  return get("study")(about, {
    index: Uint32Array.of(10, 11, 12),
    label: Uint16Array.of(0, 0, 1),
    maps: Uint8Array.of(0, 255, 0, 255, 0, 255, /**/ 0, 255, 0, 255, 0, 255, /**/ 255, 0, 0, 255, 0, 255, /**/ 0, 255, 0, 255, 255, 0),
    predicted: Uint16Array.of(0, 0, 1, /**/ 0, 1, 1, /**/ 1, 0, 1, /**/ 1, 0, 0),
    probability: Uint16Array.from({ length: 12 }, (_, k) => 50 + k),
    values: Uint16Array.of(missing, missing, missing, missing, missing, missing, 1, 2, missing, 3, missing, missing),
    components: Uint16Array.of(0, 1, 2, 3, 2, missing),
    embedding: Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    spectral: Uint16Array.of(0, 1, 2, 5, 4, 3, 6, 7, 8, 9, 10, 11),
  });
}

const state = (data, changes) => ({ ...get("initial")(data, get("columnsOf")(data)), sort: "index", order: "asc", ...changes });
const rows = (changes) => {
  const data = small();
  return plain(get("selected")(data, get("columnsOf")(data), state(data, changes)));
};

test("metrics are means over the models for which they are defined", () => {
  const data = small();
  const of = (i) => get("groupValue")(data, 0, 1, i);
  assert.ok(Math.abs(of(0) - 0.2) < 1e-9);
  assert.ok(Math.abs(of(1) - 0.2) < 1e-9);
  assert.ok(Number.isNaN(of(2)));
});

test("disagreement is the standard deviation of maps", () => {
  const data = small();
  // Affine, image 0: cells 255, 0 and 0, 255, with n − 1: 255/√2.
  assert.ok(Math.abs(get("seedSpread")(data, 1, 0) - Math.SQRT1_2) < 1e-6);
  assert.equal(get("seedSpread")(data, 1, 1), 0);
  assert.deepEqual(plain([...get("meanMap")(data, [2, 3], 0)]), [127.5, 127.5]);
});

test("the outline of a region is its pixels beside others", () => {
  const data = { about: { regions: ["object", "cue"], images: { height: 3, width: 4 } } };
  // Of the second image: the first region is empty, the second all but the first column.
  const bits = [...Array(24).fill(1), ...Array(12).fill(0), ...[0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]];
  data.regions = Uint8Array.from({ length: 6 }, (_, k) => parseInt(bits.slice(8 * k, 8 * k + 8).join(""), 2));
  assert.deepEqual([...get("outline")(data, 0, 1)], Array(12).fill(0));
  assert.deepEqual([...get("outline")(data, 1, 1)], [0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]);
});

test("columns of maps are groups, one seed of each, or all models", () => {
  const columns = (seed) => plain(get("mapColumns")(small(), seed).map(({ title, models }) => [title, models]));
  assert.deepEqual(columns(""), [["Baseline", [0, 1]], ["Affine", [2, 3]]]);
  assert.deepEqual(columns("3"), [["Baseline", []], ["Affine", [3]]]);
  assert.deepEqual(columns("all"), [["Baseline 1", [0]], ["Baseline 2", [1]], ["Affine 1", [2]], ["Affine 3", [3]]]);
});

test("columns of a study follow what it has", () => {
  const keys = (changes) => plain(get("columnsOf")(small(changes)).map((one) => one.key));
  assert.deepEqual(keys(), ["index", "mad", "seeds", "augmentations", "shift", "net", "tightening", "correct", "confidence", "classes"]);
  assert.deepEqual(keys({ predicts: false, summary: [], values: [] }), ["index", "seeds", "augmentations"]);
});

test("the shift of an image is net distance plus tightening", () => {
  const data = small();
  const columns = get("columnsOf")(data);
  const numbers = (key) => [...get("numbersOf")(data, columns, key, 1)];
  assert.deepEqual(numbers("net"), [-1, -0.5, 0]);
  assert.deepEqual(numbers("tightening").slice(0, 2), [3, 2]);
  assert.deepEqual(numbers("shift").slice(0, 2), [2, 1.5]);
  assert.ok(Number.isNaN(numbers("shift")[2]));
});

test("filters by class, prediction, correctness and agreement", () => {
  assert.deepEqual(rows({}), [0, 1, 2]);
  assert.deepEqual(rows({ class: "0" }), [0, 1]);
  assert.deepEqual(rows({ predicted: "1", of: "affine" }), [0, 2]);
  assert.deepEqual(rows({ correct: "lost" }), [0, 2]);
  assert.deepEqual(rows({ correct: "gained" }), [1]);
  assert.deepEqual(rows({ correct: "all" }), []);
  assert.deepEqual(rows({ correct: "differ" }), [0, 1, 2]);
  assert.deepEqual(rows({ agree: "same" }), []);
  assert.deepEqual(rows({ class: "0", predicted: "1", of: "affine" }), [0]);
});

test("order is by the column, undefined numbers last in either direction", () => {
  assert.deepEqual(rows({ sort: "confidence", order: "desc" }), [2, 1, 0]);
  assert.deepEqual(rows({ sort: "shift", of: "affine", order: "asc" }), [1, 0, 2]);
  assert.deepEqual(rows({ sort: "shift", of: "affine", order: "desc" }), [0, 1, 2]);
});

test("brushes select in the plot's own columns", () => {
  assert.deepEqual(rows({ x: "net", y: "tightening", of: "affine", brush: [-0.6, 0, 0, 5] }), [1]);
  assert.deepEqual(rows({ of: "affine", mapbrush: [0.35, 0.55, 0, 2] }), [1, 2]);
});

test("a selection in the spectral plane is of its coordinates", () => {
  assert.deepEqual(rows({ of: "affine", plane: "spectral", mapbrush: [0.35, 0.55, 0, 2] }), [0, 1]);
});

test("limits keep the images whose numbers are within all of them", () => {
  assert.deepEqual(rows({ limits: [["index", 11, null]] }), [1, 2]);
  assert.deepEqual(rows({ limits: [["index", null, 11], ["confidence", 0.55, null]] }), [1]);
  assert.deepEqual(rows({ of: "affine", limits: [["mad", 0, 9]] }), [0, 1]); // not undefined ones
  assert.deepEqual(rows({ of: "affine", limits: [["mad", null, null]] }), [0, 1, 2]);
});

test("the address holds what differs from the defaults, and is read back", () => {
  const data = small();
  const columns = get("columnsOf")(data);
  const base = get("initial")(data, columns);
  const allowed = get("allowedIn")(data, columns);
  const changed = { ...base, view: "image", image: "11", class: "0", brush: [0, 1.5, -2, 3], limits: [["mad", 0.5, null], ["index", -1, 2]] };
  const address = get("formatted")(changed, base);
  assert.equal(address, "#view=image&image=11&class=0&brush=0,1.5,-2,3&limits=0.5,,mad%3B-1,2,index");
  assert.deepEqual(plain(get("parsed")(address, base, allowed)), plain(changed));
  assert.equal(get("formatted")(base, base), "#");
});

test("what an address must not say is ignored", () => {
  const data = small();
  const columns = get("columnsOf")(data);
  const base = get("initial")(data, columns);
  const read = (hash) => plain(get("parsed")(hash, base, get("allowedIn")(data, columns)));
  for (const hash of ["#view=nothing", "#image=999", "#sort=__proto__", "#of=<b>", "#opacity=7", "#size=", "#brush=1,2", "#brush=a,b,c,d", "#other=1", "#constructor=1", "#class=2", "#limits=1,2,other", "#limits=a,2,mad", "#limits=;", "#plane=x"]) {
    assert.deepEqual(read(hash), plain(base), hash);
  }
});

test("limits of columns with any name are read back", () => {
  const limits = [["energy:a;b,c%3B", 0.25, null], ["pointing:d & é", null, 1]];
  const text = get("formattedLimits")(limits);
  assert.deepEqual(plain(get("parsedLimits")(text, () => true)), limits);
});

test("steps stay within the order", () => {
  const neighbour = get("neighbour");
  assert.equal(neighbour([5, 3, 9], 3, 1), 9);
  assert.equal(neighbour([5, 3, 9], 9, 1), 9);
  assert.equal(neighbour([5, 3, 9], 4, 1), 5);
});

test("ticks are round and within the axis", () => {
  assert.deepEqual(plain(get("ticks")(0, 1)), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(plain(get("ticks")(-0.05, 0.11)), [-0.05, 0, 0.05, 0.1]);
  assert.deepEqual(plain(get("ticks")(2, 2)), [2]);
});

test("ends of numbers", () => {
  assert.deepEqual(plain(get("extent")([1, NaN, 3], 0)), [1, 3]);
  assert.deepEqual(plain(get("extent")([NaN])), [0, 1]);
  const [low, high] = get("extent")([2, 2]);
  assert.ok(low < 2 && high > 2);
});

test("histograms count every defined number once", () => {
  const { counts } = get("histogram")([0, 0.5, 1, NaN], 2);
  assert.deepEqual(plain(counts), [1, 2]);
  assert.equal(get("histogram")([3, 3], 4).counts.reduce((a, b) => a + b), 2);
});

test("bars of selected images are in the bins of all images", () => {
  const bars = get("binned")([1, 2], [0, 1, 2, 2, 4, NaN], 2);
  assert.deepEqual(plain(bars), [[0, 2, 1 / 3], [2, 4, 1 / 3]]);
  assert.deepEqual(plain(get("binned")([], [1, 2], 2)), []);
});

test("numbers for people", () => {
  const shown = get("shownNumber");
  assert.equal(shown(-0.01234), "−0.012");
  assert.equal(shown(-0.0001), "0.000");
  assert.equal(shown(-10.4, 1), "−10.4");
  assert.equal(shown(NaN), "–");
  assert.equal(get("signed")(0.02), "+0.020");
  assert.equal(get("signed")(0.0001), "0.000");
});

test("percentiles", () => {
  assert.equal(get("percentile")([1, 2, 3, NaN, 4], 3), 75);
  assert.ok(Number.isNaN(get("percentile")([1], NaN)));
});

test("colour tables begin and end at their ends", () => {
  const viridis = get("table(SEQUENTIAL)");
  assert.deepEqual(plain([...viridis.slice(0, 3)]), [68, 1, 84]);
  assert.deepEqual(plain([...viridis.slice(765)]), [253, 231, 37]);
});
