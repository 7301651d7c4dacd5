// Blocks of data: in the page, or in parts in scripts of a folder next to it. Layout: docs/explorer.md.

const parts = new Map(); // block → its texts, in their order

// The base64 texts of a block, one after the other.
const blockTexts = (name) =>
  parts.get(name) ?? [document.getElementById(`block-${name}`).textContent];

// Loads the scripts of a large study, each of which calls campareShard, one after the other.
async function loadShards({ shards }) {
  const { digest, files } = shards;
  window.campareShard = (of, block, text) => {
    if (of !== digest) throw new Error("another version");
    parts.set(block, [...(parts.get(block) ?? []), text]);
  };
  for (const [k, { file, block }] of files.entries()) {
    document.getElementById("status").textContent =
      `Loading the data: file ${k + 1} of ${files.length} …`;
    const before = parts.get(block)?.length ?? 0;
    await loaded(file);
    if (parts.get(block)?.length !== before + 1) throw shardError(`${file} is of another version`);
  }
}

function loaded(file) {
  return new Promise((resolve, reject) => {
    const script = element("script", { src: file });
    script.addEventListener("error", () => reject(shardError(`${file} is missing`)));
    script.addEventListener("load", () => {
      script.remove();
      resolve();
    });
    document.head.append(script);
  });
}

function shardError(message) {
  const error = new Error(message);
  error.remedy = "Keep the page and the folder explorer_data of the same run next to each other.";
  return error;
}
