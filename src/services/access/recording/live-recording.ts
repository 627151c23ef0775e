import type { Instant } from "../../../core/host.ts";
import type { RecordingOutcome } from "./about.ts";
import { type ChunkLog, type ChunkWriter, RecorderUnavailable } from "./chunk-writer.ts";
import { encodeEvent, type RecordedEvent } from "./event.ts";

/** What a server says about a command's end is short. */
const longestStatus = 64 * 1024;

export interface LiveOptions {
  readonly id: string;
  readonly writer: ChunkWriter;
  /** Undefined: it could not be begun, and is passed on all the same. */
  readonly log: ChunkLog | undefined;
  readonly now: () => Instant;
  /** Milliseconds on a clock that nobody sets. */
  readonly clock: () => number;
  readonly limitBytes: number;
  /** Sessions go on when they cannot be recorded. */
  readonly failOpen: boolean;
  /** Told once, when that happens. */
  readonly lost: (why: string) => void;
  /** Seals it; never rejects. */
  readonly seal: (ended: LiveRecording, why: string) => Promise<void>;
}

/** A session that is being recorded. */
export class LiveRecording {
  readonly #options: LiveOptions;
  readonly #begun: number;
  readonly #ports: { [port: string]: number } = {};
  readonly #carried = { in: 0, out: 0 };
  readonly #status: Buffer[] = [];
  #statusLength = 0;
  #bytes = 0;
  #stored = 0;
  #protocol: string | undefined;
  #unrecorded: RecordingOutcome["unrecorded"];
  #ended: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#begun = options.clock();
    if (options.log === undefined) this.#goOn("it could not be begun");
  }

  get id(): string {
    return this.#options.id;
  }

  get log(): ChunkLog | undefined {
    return this.#options.log;
  }

  /** Resolves once they are on the disk. Rejects with `RecorderUnavailable`: nobody may see them. */
  async add(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) this.#count(event);
    const { log, writer, clock, limitBytes, failOpen } = this.#options;
    if (this.#ended !== undefined) throw new RecorderUnavailable("the session is over");
    if (events.length === 0 || log === undefined || this.#unrecorded !== undefined) return;
    const at = clock() - this.#begun;
    const parts = events.map((event) => encodeEvent({ at, event }));
    // Sizes of the terminal and input fill a disk as well as output does.
    for (const { length } of parts) this.#stored += length;
    if (this.#stored > limitBytes) {
      throw new RecorderUnavailable(`a recording may take ${limitBytes} bytes; copy large files another way`);
    }
    try {
      const written = writer.append(log, parts);
      this.#last = written;
      await written;
    } catch (error) {
      if (!failOpen) throw error;
      this.#goOn(error instanceof Error ? error.message : String(error));
    }
  }

  /** Resolves when nothing of it waits for the disk. */
  async settled(): Promise<void> {
    await this.#last.catch(() => {});
  }

  agreed(protocol: string): void {
    this.#protocol = protocol;
  }

  connected(port: number): void {
    this.#ports[port] = (this.#ports[port] ?? 0) + 1;
  }

  carried(direction: "in" | "out", bytes: number): void {
    this.#carried[direction] += bytes;
  }

  /** Idempotent; never rejects: what cannot be sealed now is sealed later. */
  end(why: string): Promise<void> {
    this.#ended ??= this.#options.seal(this, why);
    return this.#ended;
  }

  /** All but the digest. */
  outcome(why: string): Omit<RecordingOutcome, "digest" | "chunks"> {
    const { in: taken, out } = this.#carried;
    return {
      why,
      protocol: this.#protocol,
      bytes: this.#bytes,
      milliseconds: Math.round(this.#options.clock() - this.#begun),
      exitCode: exitCodeOf(Buffer.concat(this.#status)),
      ...(Object.keys(this.#ports).length === 0 ? {} : { ports: this.#ports }),
      ...(taken + out === 0 ? {} : { carried: { in: taken, out } }),
      ...(this.#unrecorded === undefined ? {} : { unrecorded: this.#unrecorded }),
    };
  }

  #count(event: RecordedEvent): void {
    if (event.kind === "stdout" || event.kind === "stderr") this.#bytes += event.bytes.length;
    if (event.kind !== "status") return;
    this.#statusLength += event.bytes.length;
    if (this.#statusLength > longestStatus) throw new RecorderUnavailable("the end of a command takes more words than it may");
    this.#status.push(event.bytes);
  }

  #goOn(why: string): void {
    if (this.#unrecorded !== undefined) return;
    this.#unrecorded = { at: this.#options.now(), why };
    this.#options.lost(why);
  }
}

/** Of the `Status` that servers send from version 4 of the protocol on. */
function exitCodeOf(status: Buffer): number | undefined {
  try {
    const {
      status: result,
      details,
    }: { status?: unknown; details?: { causes?: readonly { reason?: unknown; message?: unknown }[] } } = JSON.parse(
      status.toString("utf8"),
    );
    if (result === "Success") return 0;
    const code = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
    return typeof code === "string" && /^\d{1,5}$/.test(code) ? Number(code) : undefined;
  } catch {
    return undefined;
  }
}
