import fc from "fast-check";
import {
  cutAt,
  SpdyHeaderWriter,
  spdyControlFrame,
  spdyData,
  webSocketFrame,
} from "../../src/server/gateway/stream/frames.testing.ts";
import { openReader } from "../../src/server/gateway/stream/open-reader.ts";
import { type StreamEvent, StreamUnreadable } from "../../src/server/gateway/stream/stream-event.ts";
import { fuzzSuite } from "./fuzz.ts";

const agreed = fc.constantFrom(
  ...(["v5.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io"] as const).flatMap((subprotocol) => [
    { kind: "exec" as const, protocol: "websocket" as const, subprotocol },
    { kind: "portforward" as const, protocol: "websocket" as const, subprotocol },
  ]),
  { kind: "portforward" as const, protocol: "websocket" as const, subprotocol: "SPDY/3.1+portforward.k8s.io" },
  { kind: "exec" as const, protocol: "spdy" as const, subprotocol: "v4.channel.k8s.io" },
  { kind: "portforward" as const, protocol: "spdy" as const, subprotocol: "portforward.k8s.io" },
);
type Agreed = typeof agreed extends fc.Arbitrary<infer T> ? T : never;
const side = fc.constantFrom("fromServer" as const, "fromClient" as const);

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .constantFrom("\u0001out", "\u0002err", "\u0003{}", "\u0000in", '\u0004{"Width":1,"Height":2}', "1aGk=", "3", "\u00ff\u0001")
    .map((text) => Uint8Array.from(Buffer.from(text, "latin1"))),
);
const options = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 2, 2, 8, 9, 10, 3),
  final: fc.constantFrom(true, true, true, false),
  mask: fc.constantFrom(undefined, [1, 2, 3, 4]),
  reserved: fc.constantFrom(0, 0, 0, 0, 0, 0x40),
});
const webSocket = fc.tuple(payload, options).map(([bytes, more]) => webSocketFrame(Buffer.from(bytes), more));
const spdy = fc.oneof(
  fc.tuple(fc.constantFrom(1, 3, 5, 2, 9), payload).map(([stream, bytes]) => spdyData(stream, Buffer.from(bytes))),
  fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 6, 7, 8, 9, 5), payload)
    .map(([type, bytes]) => spdyControlFrame(type, Buffer.from(bytes))),
);
const soup = fc
  .array(
    fc.oneof(
      webSocket,
      spdy,
      payload.map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 10 });

/** What a reader says of the bytes: the same events in one text, and whether it refused them. */
async function readingOf(
  how: Agreed,
  from: "fromServer" | "fromClient",
  before: readonly Buffer[],
  parts: readonly Buffer[],
): Promise<string> {
  const reader = openReader(how);
  if (reader === undefined) throw new Error("not readable");
  const said: { [kind: string]: string } = {};
  const add = (event: StreamEvent) => {
    const bytes = "bytes" in event ? event.bytes : undefined;
    if (event.kind === "carried") said["carried"] = String(Number(said["carried"] ?? 0) + event.bytes);
    else said[event.kind] = (said[event.kind] ?? "") + (Buffer.isBuffer(bytes) ? bytes.toString("hex") : JSON.stringify(event));
  };
  try {
    for (const bytes of before) await reader.fromClient(bytes);
    for (const part of parts) for (const event of await reader[from](part)) add(event);
    return JSON.stringify(said);
  } catch (error) {
    if (error instanceof StreamUnreadable) return "refused";
    throw error;
  } finally {
    reader.close();
  }
}

/** The streams of an exec, opened by the client. */
async function openedStreams(): Promise<readonly Buffer[]> {
  const headers = new SpdyHeaderWriter();
  const frames: Buffer[] = [];
  for (const [i, type] of ["error", "stdin", "stdout", "stderr", "resize"].entries()) {
    frames.push(
      await headers.open(2 * i + 1, [
        ["streamtype", type],
        ["port", "80"],
      ]),
    );
  }
  return frames;
}

fuzzSuite({
  "any bytes are read or refused, and the same however they are cut": (limits) =>
    fc.assert(
      fc.asyncProperty(agreed, side, soup, cuts, async (how, from, bytes, at) => {
        const before = how.protocol === "spdy" && how.kind === "exec" ? await openedStreams() : [];
        const whole = await readingOf(how, from, before, [bytes]);
        const inParts = await readingOf(how, from, before, cutAt(bytes, at));
        // What is refused in the end may have shown its beginning before.
        if (whole !== inParts) throw new Error(`${whole} in one piece, ${inParts} in parts`);
      }),
      limits,
    ),
});
