// Colours that people with colour-blindness tell apart.

// Support points of matplotlib's viridis, and of a scale from blue over white to orange.
const SEQUENTIAL = [
  [68, 1, 84],
  [72, 24, 106],
  [71, 45, 123],
  [66, 64, 134],
  [59, 82, 139],
  [51, 99, 141],
  [44, 114, 142],
  [38, 130, 142],
  [33, 145, 140],
  [31, 160, 136],
  [40, 174, 128],
  [63, 188, 115],
  [94, 201, 98],
  [132, 212, 75],
  [173, 220, 48],
  [216, 226, 25],
  [253, 231, 37],
];
const DIVERGING = [
  [33, 102, 172],
  [103, 169, 207],
  [209, 229, 240],
  [247, 247, 247],
  [253, 219, 199],
  [239, 138, 98],
  [178, 80, 10],
];

// 256 colours between support points: Uint8Array (256 · 3).
function table(points) {
  const colours = new Uint8Array(768);
  for (let v = 0; v < 256; v++) {
    const place = (v / 255) * (points.length - 1);
    const k = Math.min(points.length - 2, Math.floor(place));
    for (let c = 0; c < 3; c++) {
      colours[3 * v + c] = Math.round(
        points[k][c] + (place - k) * (points[k + 1][c] - points[k][c]),
      );
    }
  }
  return colours;
}

const classColour = (palette, k) => palette[k % palette.length];
