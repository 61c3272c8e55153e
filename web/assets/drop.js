// Files of a drop, those in dropped folders too.

const entriesOf = (folder) =>
  new Promise((resolve, reject) => {
    const reader = folder.createReader();
    const all = [];
    // A reader gives entries in batches until it gives none.
    const next = () =>
      reader.readEntries((batch) => {
        if (batch.length === 0) return resolve(all);
        all.push(...batch);
        next();
      }, reject);
    next();
  });

const filesOf = async (entry) => {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const below = await Promise.all((await entriesOf(entry)).map(filesOf));
  return below.flat();
};

export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}
