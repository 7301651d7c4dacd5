// Axes: round numbers between two ends, and places on a line.

function ticks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    found.push(k * step);
  }
  return found.map((x) => Number(x.toPrecision(12)));
}

// Ends of the finite numbers, with some room; [0, 1] without any.
function extent(numbers, room = 0.03) {
  let low = Infinity;
  let high = -Infinity;
  for (const x of numbers) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const margin = high > low ? room * (high - low) : Math.abs(low) * 0.1 || 0.5;
  return [low - margin, high + margin];
}

const linear = (low, high, from, to) => (x) => from + ((x - low) / (high - low)) * (to - from);

// Counts of the finite numbers in `bins` equal parts between the ends, by default their own.
function histogram(numbers, bins = 30, [low, high] = extent(numbers, 0)) {
  const counts = new Array(bins).fill(0);
  for (const x of numbers) {
    const bin = Math.floor(((x - low) / (high - low)) * bins);
    if (Number.isFinite(x)) counts[Math.min(bins - 1, bin)] += 1;
  }
  return { low, high, counts };
}

// Bars of some of the numbers, in the bins of all numbers: a list of [low, high, height], the height
// as a share of the highest bar of all.
function binned(some, all, bins = 40) {
  const { low, high, counts } = histogram(all, bins);
  const most = Math.max(...counts, 1);
  const step = (high - low) / bins;
  const own = histogram(some, bins, [low, high]).counts;
  const parts = own.map((count, k) => [low + k * step, low + (k + 1) * step, count / most]);
  return parts.filter((part) => part[2] > 0);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// A number for people: a real minus sign, and a dash if it is undefined.
function shownNumber(x, digits = 3) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  return x.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
}

const signed = (x, digits = 3) => {
  const text = shownNumber(x, digits);
  return Number.isFinite(x) && x > 0 && Number(x.toFixed(digits)) !== 0 ? `+${text}` : text;
};
