// Chunks of recordings in IndexedDB, from the moment the camera gives them until the storage has acknowledged them.
//
// Note [A store that may be missing]
// Some private windows have no IndexedDB, and a disk may be full. A recording goes on without it, and then only lacks
// the safety of being found again after a crash; so every call here resolves, with nothing when there is nothing.

const NAME = "practika";
const VERSION = 1;

let opened = null;

/** Notes a recording `{id, token, classroom, place, mimeType, startedAt, elapsedMs}`, or what changed of it. */
export function noteRecording(recording) {
  return write(["recordings"], (recordings) => recordings.put(recording));
}

/** Keeps a chunk `{recording, offset, size, blob}` and notes how long the recording is by now. */
export function keepChunk(chunk, recording) {
  return write(["chunks", "recordings"], (chunks, recordings) => {
    chunks.put(chunk);
    recordings.put(recording);
  });
}

/** Drops chunks by their offsets: the storage has them. */
export function dropChunks(recording, offsets) {
  return write(["chunks"], (chunks) => offsets.forEach((offset) => chunks.delete([recording, offset])));
}

/** Drops a recording with everything of it. */
export function dropRecording(id) {
  return write(["recordings", "chunks"], (recordings, chunks) => {
    recordings.delete(id);
    chunks.delete(allOf(id));
  });
}

/** The recordings begun at a place of the site, newest first. */
export async function recordingsOf(place) {
  const all = await read("recordings", (recordings) => recordings.getAll());
  return all.filter((recording) => recording.place === place).sort((one, other) => other.startedAt - one.startedAt);
}

/** The kept chunks of a recording, in their order. */
export function chunksOf(id) {
  return read("chunks", (chunks) => chunks.getAll(allOf(id)));
}

function allOf(id) {
  return IDBKeyRange.bound([id, 0], [id, Infinity]);
}

async function write(stores, change) {
  try {
    const transaction = (await database()).transaction(stores, "readwrite");
    change(...stores.map((name) => transaction.objectStore(name)));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  } catch (error) {
    console.info("This recording is not kept on this device:", error);
  }
}

async function read(store, ask) {
  try {
    return await result(ask((await database()).transaction(store).objectStore(store)));
  } catch {
    return [];
  }
}

function database() {
  opened ??= open();
  return opened;
}

function open() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("recordings", { keyPath: "id" });
    request.result.createObjectStore("chunks", { keyPath: ["recording", "offset"] });
  };
  return result(request);
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
