// Columns: one number per image, by which images are sorted, filtered and placed in a scatter plot.

// Columns of a study: key, label, whether there is one for each augmentation, and the number of
// an image. `group`: place of a group of models; −1 for the mean over all augmentations.
function columnsOf(data) {
  const columns = [
    column("index", "Position in the data set", false, (i) => data.index[i], 0),
  ];
  data.metrics.forEach((metric, k) =>
    columns.push(
      column(
        metric.name,
        metric.label,
        true,
        (i, group) => overGroups(data, group, (g) => groupValue(data, k, g, i)),
      ),
    ),
  );
  const repeated = data.groups.flatMap((group, g) => (group.models.length > 1 ? [g] : []));
  if (repeated.length) {
    columns.push(
      column("seeds", `Disagreement between ${data.about.member}s`, true, (i, group) =>
        mean((group < 0 ? repeated : [group]).map((g) => seedSpread(data, g, i))),
      ),
    );
  }
  if (data.groups.length > 1) {
    columns.push(
      column("augmentations", "Disagreement between augmentations", false, (i) =>
        spread(data.groups.map((group) => meanMap(data, group.models, i))),
      ),
    );
  }
  const rows = data.about.summary.filter((row) => row.component !== undefined);
  if (rows.length) {
    const metric = rows[0].distance;
    const part = (row, kind, i) =>
      decoded(
        data.components[(kind * rows.length + row.component) * data.n + i],
        data.about.components[kind].scale,
      );
    const over = (group, number) =>
      mean(
        rows.filter(
          (row) =>
            group < 0 ? augmentationRow(data, row) : row.augmentation === data.groups[group].name,
        ).map(number),
      );
    columns.push(
      column(
        "shift",
        `Map shift E (${metric})`,
        true,
        (i, group) => over(group, (row) => part(row, 0, i) + part(row, 1, i)),
      ),
      column(
        "net",
        `Net distance N (${metric})`,
        true,
        (i, group) => over(group, (row) => part(row, 0, i)),
      ),
      column(
        "tightening",
        `Tightening T (${metric})`,
        true,
        (i, group) => over(group, (row) => part(row, 1, i)),
      ),
    );
  }
  if (data.about.predicts) {
    columns.push(
      column("correct", "Share of models that are correct", true, (i, group) => {
        const models = modelsOf(data, group);
        return models.filter((model) => isCorrect(data, model, i)).length / models.length;
      }),
      column("confidence", "Mean probability of the predicted class", true, (i, group) =>
        mean(modelsOf(data, group).map((model) => probabilityOf(data, model, i))),
      ),
      column("classes", "Number of different predictions", false, (i) =>
        new Set(data.about.models.map((_, model) => predictedBy(data, model, i))).size, 0,
      ),
    );
  }
  return columns;
}

function column(key, label, perGroup, number, digits = 3) {
  return { key, label, perGroup, number, digits };
}

const augmentationRow = (data, row) =>
  data.groups.some((group) => group.kind === "augmentation" && group.name === row.augmentation);

// All models of a group; of all groups for −1.
const modelsOf = (data, group) =>
  group < 0 ? data.about.models.map((_, model) => model) : data.groups[group].models;

// A number of a group, or its mean over all augmentations; over all groups without any.
const overGroups = (data, group, number) => {
  if (group >= 0) return number(group);
  return mean((data.augmented.length ? data.augmented : data.groups.map((_, g) => g)).map(number));
};

function seedSpread(data, group, i) {
  const models = data.groups[group].models;
  return models.length > 1 ? spread(models.map((model) => mapOf(data, model, i))) : NaN;
}

// The numbers of all images, computed once: Float64Array (n).
function numbersOf(data, columns, key, group) {
  const chosen = columns.find((one) => one.key === key) || columns[0];
  const place = chosen.perGroup ? group : -1;
  const name = `${chosen.key} ${place}`;
  if (!data.cache.has(name)) {
    data.cache.set(name, Float64Array.from({ length: data.n }, (_, i) => chosen.number(i, place)));
  }
  return data.cache.get(name);
}
