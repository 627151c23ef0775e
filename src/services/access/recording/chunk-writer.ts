import { createHash } from "node:crypto";
import { appendChunks } from "../../../adapters/store/recordings.ts";
import type { Store } from "../../../adapters/store/store.ts";
import type { Instant } from "../../../core/host.ts";

/** What was shown could not be kept, so nobody may see it. */
export class RecorderUnavailable extends Error {
  readonly code = "RECORDER_UNAVAILABLE";
}

/** Readers hold some chunks at a time, so none is much larger. */
const chunkBytes = 256 * 1024;

/** The chunks of one recording, as far as they are on the disk. */
export class ChunkLog {
  readonly recording: string;
  readonly hash = createHash("sha256");
  chunks = 0;
  /** Why no more can be written; whether the last chunk is there is not known then. */
  broken: Error | undefined;

  constructor(recording: string) {
    this.recording = recording;
  }
}

interface Pending {
  readonly parts: Buffer[];
  readonly waiting: { resolve(): void; reject(error: Error): void }[];
}

/** Writes the chunks of all recordings in groups: all that wait share one transaction. */
export class ChunkWriter {
  readonly #store: Store;
  readonly #now: () => Instant;
  #pending = new Map<ChunkLog, Pending>();
  #running: Promise<void> | undefined;

  constructor(store: Store, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /** Resolves once these are on the disk; none is ever cut in two. Rejects with `RecorderUnavailable`, and does so ever after. */
  append(log: ChunkLog, parts: readonly Buffer[]): Promise<void> {
    if (log.broken !== undefined) return Promise.reject(log.broken);
    const pending = this.#pending.get(log) ?? { parts: [], waiting: [] };
    this.#pending.set(log, pending);
    pending.parts.push(...parts);
    this.#running ??= this.#run();
    return new Promise((resolve, reject) => {
      pending.waiting.push({ resolve, reject });
    });
  }

  async #run(): Promise<void> {
    // What comes in the same turn of the event loop joins the first group.
    await new Promise(setImmediate);
    while (this.#pending.size > 0) {
      const group = this.#pending;
      this.#pending = new Map();
      await this.#write(group);
    }
    this.#running = undefined;
  }

  async #write(group: ReadonlyMap<ChunkLog, Pending>): Promise<void> {
    const planned = [...group].map(([log, pending]) => ({ log, pending, bodies: bodiesOf(pending.parts) }));
    const rows = planned.flatMap(({ log, bodies }) =>
      bodies.map((body, i) => ({ recording: log.recording, seq: log.chunks + i, body })),
    );
    let failure: Error | undefined;
    let ended: ReadonlySet<string> = new Set();
    try {
      ended = await appendChunks(this.#store, rows, this.#now());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failure = new RecorderUnavailable(`the session can no longer be recorded: ${why}`, { cause: error });
    }
    for (const { log, pending, bodies } of planned) {
      const over = ended.has(log.recording) ? new RecorderUnavailable("the recording of this session was ended") : undefined;
      log.broken = failure ?? over;
      if (log.broken !== undefined) {
        for (const { reject } of pending.waiting) reject(log.broken);
        continue;
      }
      for (const body of bodies) log.hash.update(body);
      log.chunks += bodies.length;
      for (const { resolve } of pending.waiting) resolve();
    }
  }
}

function bodiesOf(parts: readonly Buffer[]): readonly Buffer[] {
  const bodies: Buffer[] = [];
  let open: Buffer[] = [];
  let size = 0;
  for (const part of parts) {
    if (size > 0 && size + part.length > chunkBytes) {
      bodies.push(Buffer.concat(open));
      open = [];
      size = 0;
    }
    open.push(part);
    size += part.length;
  }
  if (open.length > 0) bodies.push(Buffer.concat(open));
  return bodies;
}
