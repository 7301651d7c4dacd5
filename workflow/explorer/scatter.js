// Scatter plots: of two columns, and of embeddings of the maps.

function scatterView(app, root) {
  const { data, columns, state } = app;
  const group = groupOf(data, state);
  const [x, y] = [state.x, state.y].map((key) => columns.find((one) => one.key === key));
  const [colour, key] = pointColours(app, group);
  const whose = group < 0 ? "all augmentations" : data.groups[group].title;
  root.replaceChildren(
    element("h2", {}, `${y.label} against ${x.label}, ${whose}`),
    key,
    pointPlot(app, {
      xs: numbersOf(data, columns, state.x, group),
      ys: numbersOf(data, columns, state.y, group),
      labels: [x.label, y.label],
      colour,
      brush: state.brush,
      key: "brush",
    }),
    strip(app),
  );
}

function clustersView(app, root) {
  const { data, state } = app;
  const group = embeddedGroup(data, state);
  const [xs, ys] = embeddingOf(data, group, state.plane);
  const [colour, key] = pointColours(app, group);
  const share = (k) => shownNumber(100 * data.about.embedding[k].explained, 1);
  const components = state.plane === "pca";
  const label = (k) =>
    components ? `Component ${k + 1} (${share(k)} % of variance)` : `Spectral coordinate ${k + 1}`;
  root.replaceChildren(
    element("h2", {}, `Mean maps of ${data.groups[group].title}`),
    element(
      "p",
      {},
      "Each point is the mean map of an image over networks. " +
        (components
          ? "The principal components are those of the maps of all augmentations together"
          : "Maps that are among each other’s nearest neighbours are close to each other " +
            "(Laplacian eigenmaps of the maps of all augmentations together)") +
        ", so that places can be compared between augmentations.",
    ),
    ...(components ? [componentMaps(app)] : []),
    key,
    pointPlot(
      app,
      {
        xs,
        ys,
        labels: [label(0), label(1)],
        colour,
        brush: state.mapbrush,
        key: "mapbrush",
        equal: true,
      },
    ),
    strip(app),
  );
}

// What the components mean: the mean map, two standard deviations to either side.
function componentMaps(app) {
  const { data } = app;
  const figures = [0, 1].flatMap((axis) =>
    [0, 1].map((end) => {
      const start = (2 * axis + end) * data.cells;
      const text = `Component ${axis + 1}, ${end ? "high" : "low"}`;
      return element(
        "figure",
        {},
        canvasOf(
          data,
          0,
          64,
          {
            map: data.ends.subarray(start, start + data.cells),
            alone: true,
            label: `Map at: ${text}`,
          },
        ),
        element("figcaption", {}, text),
      );
    }),
  );
  return element("div", { class: "figures", id: "ends" }, ...figures);
}
