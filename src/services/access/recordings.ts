import { createHash, randomUUID } from "node:crypto";
import type { Person } from "../../access/person.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { NewRecord } from "../../adapters/store/ledger-batch.ts";
import {
  abandonedRecordings,
  endRecording,
  insertRecording,
  ledgerRecordByKey,
  listRecordings,
  oldRecordings,
  type RecordingFilter,
  readChunks,
  readRecording,
  removeChunks,
  touchRecordings,
} from "../../adapters/store/recordings.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { RecordingRow } from "../../adapters/store/tables.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Outcome } from "./desk.ts";
import {
  aboutOf,
  type Recording,
  type RecordingAbout,
  type RecordingOutcome,
  recordingOf,
  recordingRecord,
  sealKey,
} from "./recording/about.ts";
import { asciicast } from "./recording/asciicast.ts";
import { ChunkLog, ChunkWriter } from "./recording/chunk-writer.ts";
import { decodeEvents, type TimedEvent } from "./recording/event.ts";
import { LiveRecording } from "./recording/live-recording.ts";

export interface RecordingsOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly now: () => Instant;
  /** Milliseconds on a clock that nobody sets. */
  readonly clock?: () => number;
  /** Sessions go on when they cannot be recorded, and the ledger says so. Else they are not begun, or cut. */
  readonly failOpen?: boolean;
  /** The most that one recording may take, bytes; at more the session is cut. Some bytes of each piece are ours. */
  readonly limitBytes?: number;
  /** What was shown is removed so long after the session's end, milliseconds; undefined: never. */
  readonly keepMilliseconds?: number | undefined;
  readonly onTrouble?: (error: unknown) => void;
}

export type Verified =
  | { readonly ok: true; readonly digest: string }
  /** Not `changed`: there is nothing to compare, as while the session goes on. */
  | { readonly ok: false; readonly changed: boolean; readonly problem: string };

const maintainedEvery = 5000;
const retentionEvery = 3_600_000;
/** Of a server that says nothing for so long, others seal the recordings; its own clock may differ by seconds. */
const deadAfterMilliseconds = 120_000;

/** Recorded sessions: begun, kept, sealed into the ledger, and shown to those who may see them. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #server = randomUUID();
  readonly #writer: ChunkWriter;
  readonly #live = new Map<string, { readonly live: LiveRecording; readonly about: RecordingAbout; why?: string }>();
  /** Records that the ledger could not take yet. */
  readonly #owed: NewRecord[] = [];
  #paying: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #maintaining: Promise<void> | undefined;
  #retained = Number.NEGATIVE_INFINITY;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#writer = new ChunkWriter(options.store, options.now);
  }

  /** Seals what dead servers left open, and looks after what is open from now on. */
  async start(): Promise<void> {
    await this.#sealAbandoned();
    this.#timer = setInterval(() => void this.maintain(), maintainedEvery);
    this.#timer.unref();
  }

  /** Seals what is still open. The store stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#maintaining;
    await Promise.all([...this.#live.values()].map(({ live }) => live.end("the server stops")));
    await this.#payOwed();
  }

  /** Durable with its record in the ledger when it answers; refused where that cannot be. */
  async begin(about: RecordingAbout): Promise<Outcome<LiveRecording>> {
    const { ledger, now, failOpen = false } = this.#options;
    const id = randomUUID();
    const at = now();
    let log: ChunkLog | undefined;
    try {
      await ledger.transact(async (on, write) => {
        await insertRecording(on, { ...this.#rowOf(id, about, at), about: JSON.stringify(about) });
        await write([recordingRecord(id, about, { at, outcome: "started", key: `recording/${id}/started` })]);
      });
      log = new ChunkLog(id);
    } catch (error) {
      this.#trouble(error);
      if (!failOpen) {
        const message = "the session cannot be recorded now, so it is not begun; try again when the database is back";
        return { ok: false, code: "RECORDER_UNAVAILABLE", message };
      }
    }
    const live = new LiveRecording({
      id,
      writer: this.#writer,
      log,
      now,
      clock: this.#options.clock ?? (() => performance.now()),
      limitBytes: this.#options.limitBytes ?? 1024 ** 3,
      failOpen,
      lost: (why) => this.#owe(recordingRecord(id, about, { at: now(), outcome: "unrecorded", data: { why } })),
      seal: (ended, why) => this.#seal(ended, about, why),
    });
    this.#live.set(id, { live, about });
    return { ok: true, value: live };
  }

  async list(filter: RecordingFilter = {}): Promise<readonly Recording[]> {
    return (await listRecordings(this.#options.store.reading, filter)).map(recordingOf);
  }

  async get(id: string): Promise<Recording | undefined> {
    const row = await readRecording(this.#options.store.reading, id);
    return row === undefined ? undefined : recordingOf(row);
  }

  /** The lines of an asciicast. That this person looks is in the ledger before the first line. */
  async asciicast(id: string, viewer: Person): Promise<Outcome<AsyncIterable<string>>> {
    const opened = await this.#open(id, viewer, "asciicast");
    if (!opened.ok) return opened;
    const { started, kind, namespace, pod, command } = recordingOf(opened.value);
    const { tty } = aboutOf(opened.value);
    const header = { started, tty, command: command.join(" "), title: `${kind} ${namespace}/${pod}` };
    return { ok: true, value: asciicast(header, this.#events(id)) };
  }

  /** The bytes of the command's output exactly as they were delivered. That this person looks is in the ledger before. */
  async output(id: string, viewer: Person): Promise<Outcome<AsyncIterable<Buffer>>> {
    const opened = await this.#open(id, viewer, "output");
    if (!opened.ok) return opened;
    return { ok: true, value: outputOf(this.#events(id)) };
  }

  /** Whether what is kept is what the ledger says was shown. */
  async verify(id: string): Promise<Verified> {
    const { reading } = this.#options.store;
    const row = await readRecording(reading, id);
    const incomparable = (problem: string): Verified => ({ ok: false, changed: false, problem });
    if (row === undefined) return incomparable("there is no such recording");
    if (row.removed !== null) return incomparable("what was shown was removed by retention");
    const sealed = await ledgerRecordByKey(reading, sealKey(id));
    if (sealed === undefined) {
      return row.ended === null
        ? incomparable("the session goes on")
        : { ok: false, changed: true, problem: "the ledger has no digest of it" };
    }
    const { data }: { data: { digest: string } } = JSON.parse(sealed);
    const { digest, problem } = await this.#stored(id);
    if (problem !== undefined) return { ok: false, changed: true, problem };
    if (digest === data.digest) return { ok: true, digest };
    return { ok: false, changed: true, problem: "what is kept is not what was shown: the digest differs" };
  }

  /** Removes what was shown in sessions that ended before the cutoff; that they were, and their digests, stay. */
  async removeBefore(cutoff: Instant): Promise<number> {
    const { store, ledger, now } = this.#options;
    const rows = await oldRecordings(store.reading, cutoff);
    for (const row of rows) {
      await ledger.transact(async (on, write) => {
        if (!(await removeChunks(on, row.id, now()))) return;
        await write([recordingRecord(row.id, aboutOf(row), { at: now(), outcome: "removed", actor: "castellan" })]);
      });
    }
    return rows.length;
  }

  async #open(id: string, viewer: Person, as: string): Promise<Outcome<RecordingRow>> {
    const { store, ledger, now } = this.#options;
    const row = await readRecording(store.reading, id);
    if (row === undefined) return { ok: false, code: "RECORDING_UNKNOWN", message: `there is no recording ${id}` };
    if (row.removed !== null) {
      const message = `what was shown in ${id} was removed by retention`;
      return { ok: false, code: "RECORDING_REMOVED", message };
    }
    const { issuer, subject, user, human } = viewer;
    const data: JsonObject = { viewer: { issuer, subject, user, human }, as };
    try {
      await ledger.append([recordingRecord(id, aboutOf(row), { at: now(), outcome: "viewed", actor: user, data })]);
    } catch (error) {
      this.#trouble(error);
      return { ok: false, code: "RECORDER_UNAVAILABLE", message: "who looks at a recording is kept, and cannot be now" };
    }
    return { ok: true, value: row };
  }

  async *#events(id: string): AsyncGenerator<TimedEvent> {
    for await (const { body } of readChunks(this.#options.store.reading, id)) yield* decodeEvents(body);
  }

  async #stored(id: string): Promise<Pick<RecordingOutcome, "digest" | "chunks" | "bytes"> & { readonly problem?: string }> {
    const hash = createHash("sha256");
    let [chunks, bytes] = [0, 0];
    let problem: string | undefined;
    for await (const { seq, body } of readChunks(this.#options.store.db, id)) {
      if (seq !== chunks) problem ??= `chunk ${chunks} is missing`;
      hash.update(body);
      chunks++;
      for (const { event } of decodeEvents(body))
        if (event.kind === "stdout" || event.kind === "stderr") bytes += event.bytes.length;
    }
    return { digest: hash.digest("hex"), chunks, bytes, ...(problem === undefined ? {} : { problem }) };
  }

  #rowOf(id: string, about: RecordingAbout, at: Instant): Omit<RecordingRow, "about"> {
    const { cluster, namespace, person } = about;
    const nothingYet = { ended: null, removed: null, outcome: null };
    return { id, cluster, namespace, human: person.human, server: this.#server, started: at, alive: at, ...nothingYet };
  }

  async #seal(live: LiveRecording, about: RecordingAbout, why: string): Promise<void> {
    const { id, log } = live;
    const entry = { live, about, why };
    this.#live.set(id, entry);
    await this.#payOwed();
    if (log === undefined) {
      this.#owe(recordingRecord(id, about, { at: this.#options.now(), outcome: "ended", data: { ...live.outcome(why) } }));
      this.#live.delete(id);
      return;
    }
    try {
      await live.settled();
      const kept =
        log.broken === undefined ? { digest: log.hash.copy().digest("hex"), chunks: log.chunks } : await this.#stored(id);
      const { digest, chunks } = kept;
      await this.#end(id, about, { ...live.outcome(why), digest, chunks });
      this.#live.delete(id);
    } catch (error) {
      // It stays among the live ones, to be tried again.
      this.#trouble(error);
    }
  }

  async #end(id: string, about: RecordingAbout, outcome: RecordingOutcome): Promise<void> {
    const { ledger, now } = this.#options;
    const at = now();
    const said = outcome.interrupted === true ? "interrupted" : "ended";
    await ledger.transact(async (on, write) => {
      const isFirst = await endRecording(on, id, at, JSON.stringify(outcome));
      if (isFirst) await write([recordingRecord(id, about, { at, outcome: said, key: sealKey(id), data: { ...outcome } })]);
    });
  }

  async #sealAbandoned(): Promise<void> {
    const { store, now } = this.#options;
    // One process has an embedded database: whatever it finds open there, another left.
    const before = store.engine === "sqlite" ? Number.MAX_SAFE_INTEGER : now() - deadAfterMilliseconds;
    for (const row of await abandonedRecordings(store.db, before)) {
      if (row.server === this.#server) continue;
      const { digest, chunks, bytes } = await this.#stored(row.id);
      const why = "the server that recorded it is gone";
      await this.#end(row.id, aboutOf(row), { why, digest, chunks, bytes, interrupted: true });
    }
  }

  /** What a timer does every few seconds: seals what could not be sealed, says that this server is there, looks for dead ones. */
  maintain(): Promise<void> {
    this.#maintaining ??= this.#maintain()
      .catch((error: unknown) => this.#trouble(error))
      .finally(() => {
        this.#maintaining = undefined;
      });
    return this.#maintaining;
  }

  async #maintain(): Promise<void> {
    const { store, now, keepMilliseconds } = this.#options;
    await this.#payOwed();
    for (const { live, about, why } of this.#live.values()) if (why !== undefined) await this.#seal(live, about, why);
    if (this.#live.size > 0) await touchRecordings(store, [...this.#live.keys()], now());
    if (store.engine === "postgres") await this.#sealAbandoned();
    if (keepMilliseconds === undefined || now() - this.#retained < retentionEvery) return;
    this.#retained = now();
    await this.removeBefore(now() - keepMilliseconds);
  }

  #owe(record: NewRecord): void {
    this.#owed.push(record);
    void this.#payOwed();
  }

  /** One at a time, so that records come in the order of what they tell. */
  #payOwed(): Promise<void> {
    this.#paying = this.#paying.then(async () => {
      const records = this.#owed.slice();
      if (records.length === 0) return;
      await this.#options.ledger.append(records).then(
        () => this.#owed.splice(0, records.length),
        (error: unknown) => this.#trouble(error),
      );
    });
    return this.#paying;
  }

  #trouble(error: unknown): void {
    this.#options.onTrouble?.(error);
  }
}

async function* outputOf(events: AsyncIterable<TimedEvent>): AsyncGenerator<Buffer> {
  for await (const { event } of events) if (event.kind === "stdout" || event.kind === "stderr") yield event.bytes;
}
