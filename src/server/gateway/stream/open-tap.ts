import type { RecordedEvent } from "../../../services/access/recording/event.ts";
import type { LiveRecording } from "../../../services/access/recording/live-recording.ts";
import type { Recordings } from "../../../services/access/recordings.ts";
import { openReader } from "./open-reader.ts";
import type { StreamEvent, StreamReader } from "./stream-event.ts";
import type { OpenTap, StreamTap, TapRequest } from "./tap.ts";

export interface TapOptions {
  readonly recordings: Recordings;
  /** Keeps what people type as well, passwords included. */
  readonly recordInput: boolean;
}

/** Opens a tap for each stream that can be read and recorded; the others are refused. */
export function tapOpener({ recordings, recordInput }: TapOptions): OpenTap {
  return async (request) => {
    const reader = openReader(request);
    if (reader === undefined) {
      const said =
        request.subprotocol === undefined ? "no subprotocol" : `the subprotocol ${JSON.stringify(request.subprotocol)}`;
      const message = `${request.kind} over ${request.protocol} with ${said} cannot be recorded, so it is refused; kubectl names one that can`;
      return { ok: false, code: "STREAM_UNREADABLE", message };
    }
    const begun = await recordings.begin(aboutOf(request));
    if (begun.ok) return { ok: true, tap: new RecordingTap(request, reader, begun.value, recordInput) };
    reader.close();
    return { ok: false, code: begun.code, message: begun.message };
  };
}

function aboutOf({ kind, protocol, subprotocol, query, person, action, requestId, auditId }: TapRequest) {
  const { issuer, subject, user, human } = person;
  return {
    kind,
    cluster: action.cluster,
    namespace: action.namespace,
    pod: action.name,
    container: query.get("container")?.[0],
    command: query.get("command") ?? [],
    tty: /^(1|t|true)$/i.test(query.get("tty")?.[0] ?? ""),
    protocol: `${protocol} ${subprotocol}`,
    person: { issuer, subject, user, human },
    request: requestId,
    auditId,
  };
}

class RecordingTap implements StreamTap {
  readonly #request: TapRequest;
  #reader: StreamReader;
  readonly #recording: LiveRecording;
  readonly #recordInput: boolean;
  #hasStatus = false;
  /** Each direction is read in order. */
  readonly #last = { fromServer: Promise.resolve(), fromClient: Promise.resolve() };

  constructor(request: TapRequest, reader: StreamReader, recording: LiveRecording, recordInput: boolean) {
    this.#request = request;
    this.#reader = reader;
    this.#recording = recording;
    this.#recordInput = recordInput;
  }

  agreed(subprotocol: string | undefined): boolean {
    if (subprotocol === this.#request.subprotocol) return true;
    const reader = openReader({ ...this.#request, subprotocol });
    if (reader === undefined) return false;
    this.#reader.close();
    this.#reader = reader;
    this.#recording.agreed(`${this.#request.protocol} ${subprotocol}`);
    return true;
  }

  toClient(bytes: Buffer): Promise<void> {
    return this.#see("fromServer", bytes);
  }

  toServer(bytes: Buffer): Promise<void> {
    return this.#see("fromClient", bytes);
  }

  endsFrame(bytes: Buffer): boolean {
    return this.#reader.farewell.endsFrame(bytes);
  }

  farewell(why: string): Buffer | undefined {
    // The server has said how the command ended.
    if (this.#hasStatus) return undefined;
    return this.#reader.farewell.words(`the session was ended: ${why}`);
  }

  async end(why: string): Promise<void> {
    await this.#recording.end(why);
    this.#reader.close();
  }

  async #see(side: "fromServer" | "fromClient", bytes: Buffer): Promise<void> {
    // Several pieces may be under way: they are read in order, and wait for the disk together.
    const reading = this.#last[side].then(async () => {
      const events = await this.#reader[side](bytes);
      return { kept: this.#recording.add(events.filter((event) => this.#keeps(event))) };
    });
    const read = reading.then(() => {});
    // Who called hears of it; so does each later call.
    read.catch(() => {});
    this.#last[side] = read;
    const { kept } = await reading;
    await kept;
  }

  #keeps(event: StreamEvent): event is RecordedEvent {
    switch (event.kind) {
      case "port":
        this.#recording.connected(event.port);
        return false;
      case "carried":
        this.#recording.carried(event.direction, event.bytes);
        return false;
      case "stdin":
        return this.#recordInput;
      case "status":
        this.#hasStatus = true;
        return true;
      default:
        return true;
    }
  }
}
