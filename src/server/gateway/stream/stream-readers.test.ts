import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutAt, SpdyHeaderWriter, spdyControlFrame, spdyData, webSocketFrame, webSocketMessage } from "./frames.testing.ts";
import { isReadable, openReader } from "./open-reader.ts";
import { spdyDictionary } from "./spdy-headers.ts";
import { type StreamEvent, type StreamReader, StreamUnreadable } from "./stream-event.ts";

const nothing = Buffer.alloc(0);
const mask = [7, 200, 13, 255];
const cuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 12 });
const payload = fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes));

function opened(kind: "exec" | "portforward", protocol: "websocket" | "spdy", subprotocol: string): StreamReader {
  const reader = openReader({ kind, protocol, subprotocol });
  if (reader === undefined) throw new Error(`${subprotocol} is unknown`);
  return reader;
}

async function readAll(
  reader: StreamReader,
  side: "fromServer" | "fromClient",
  parts: readonly Buffer[],
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for (const part of parts) events.push(...(await reader[side](part)));
  return events;
}

/** The bytes of each kind, in order, however they are cut. */
function bytesOf(events: readonly StreamEvent[], kind: StreamEvent["kind"]): string {
  const parts = events.flatMap((event) =>
    event.kind === kind && "bytes" in event && typeof event.bytes !== "number" ? [event.bytes] : [],
  );
  return Buffer.concat(parts).toString("hex");
}

const outputKinds = { 1: "stdout", 2: "stderr", 3: "status" } as const;

describe("T26 what is read equals what is delivered", () => {
  test.each([
    ["v4.channel.k8s.io", false],
    ["v4.base64.channel.k8s.io", true],
    ["v5.channel.k8s.io", false],
    ["channel.k8s.io", false],
    ["base64.channel.k8s.io", true],
  ])("%s: any packing, fragments, control frames, text frames", async (subprotocol, base64) => {
    const message = fc.record({
      channel: fc.constantFrom(1, 2, 3),
      payload,
      cuts: fc.array(fc.nat({ max: 900 }), { maxLength: 4 }),
      text: fc.boolean(),
      between: fc.constantFrom(undefined, 9, 10),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 12 }), cuts, async (messages, reads) => {
        const frames = messages.flatMap((m) => {
          const whole = base64
            ? Buffer.from(`${m.channel}${m.payload.toString("base64")}`)
            : Buffer.concat([Buffer.of(m.channel), m.payload]);
          const parts = webSocketMessage(whole, m.cuts, { opcode: m.text ? 1 : 2 });
          const { between } = m;
          return between === undefined
            ? parts
            : parts.flatMap((f) => [f, webSocketFrame(Buffer.from("ping"), { opcode: between })]);
        });
        const events = await readAll(opened("exec", "websocket", subprotocol), "fromServer", cutAt(Buffer.concat(frames), reads));
        for (const channel of [1, 2, 3] as const) {
          const sent = Buffer.concat(messages.filter((m) => m.channel === channel).map((m) => m.payload));
          expect(bytesOf(events, outputKinds[channel])).toBe(sent.toString("hex"));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("the client's messages, masked: input, sizes, closed channels", async () => {
    const part = fc.oneof(
      payload.map((bytes) => ({ bytes: Buffer.concat([Buffer.of(0), bytes]), input: bytes, size: undefined })),
      fc.tuple(fc.nat(65535), fc.nat(65535)).map(([width, height]) => ({
        bytes: Buffer.concat([Buffer.of(4), Buffer.from(JSON.stringify({ Width: width, Height: height }))]),
        input: Buffer.alloc(0),
        size: { kind: "resize" as const, width, height },
      })),
      fc.constant({ bytes: Buffer.of(255, 0), input: Buffer.alloc(0), size: undefined }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), cuts, async (parts, reads) => {
        const sent = Buffer.concat(parts.map(({ bytes }) => webSocketFrame(bytes, { mask })));
        const events = await readAll(opened("exec", "websocket", "v5.channel.k8s.io"), "fromClient", cutAt(sent, reads));
        expect(bytesOf(events, "stdin")).toBe(Buffer.concat(parts.map(({ input }) => input)).toString("hex"));
        expect(events.filter(({ kind }) => kind === "resize")).toEqual(parts.flatMap(({ size }) => size ?? []));
      }),
      { numRuns: 150 },
    );
  });

  test("SPDY: any order of frames, any cuts", async () => {
    const frame = fc.record({ stream: fc.constantFrom(1, 5, 7), payload });
    const names = { 1: "status", 5: "stdout", 7: "stderr" } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), cuts, cuts, async (frames, clientReads, serverReads) => {
        const headers = new SpdyHeaderWriter();
        const types = ["error", "stdin", "stdout", "stderr", "resize"];
        const streams: Buffer[] = [];
        for (const [i, type] of types.entries()) streams.push(await headers.open(2 * i + 1, [["streamtype", type]]));
        const size = spdyData(9, Buffer.from('{"Width":120,"Height":40}\n{"Width":1,'));
        const rest = spdyData(9, Buffer.from('"Height":2}'));
        const reader = opened("exec", "spdy", "v4.channel.k8s.io");
        const fromClient = Buffer.concat([
          ...streams,
          spdyControlFrame(6, Buffer.of(0, 0, 0, 1)),
          size,
          spdyData(3, Buffer.from("in")),
          rest,
        ]);
        const asked = await readAll(reader, "fromClient", cutAt(fromClient, clientReads));
        expect(bytesOf(asked, "stdin")).toBe(Buffer.from("in").toString("hex"));
        expect(asked.filter(({ kind }) => kind === "resize")).toEqual([
          { kind: "resize", width: 120, height: 40 },
          { kind: "resize", width: 1, height: 2 },
        ]);
        const fromServer = Buffer.concat(frames.map(({ stream, payload: bytes }) => spdyData(stream, bytes)));
        const shown = await readAll(reader, "fromServer", cutAt(fromServer, serverReads));
        for (const stream of [1, 5, 7] as const) {
          const sent = Buffer.concat(frames.filter((f) => f.stream === stream).map((f) => f.payload));
          expect(bytesOf(shown, names[stream])).toBe(sent.toString("hex"));
        }
        reader.close();
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["spdy", "portforward.k8s.io"],
    ["websocket", "SPDY/3.1+portforward.k8s.io"],
  ] as const)("forwarded ports over %s: ports and counts", async (protocol, subprotocol) => {
    const headers = new SpdyHeaderWriter();
    const sent = Buffer.concat([
      await headers.open(1, [
        ["streamtype", "error"],
        ["port", "8080"],
        ["requestid", "0"],
      ]),
      await headers.open(3, [
        ["streamtype", "data"],
        ["port", "8080"],
        ["requestid", "0"],
      ]),
      spdyData(3, Buffer.alloc(1000)),
      await headers.open(5, [
        ["streamtype", "error"],
        ["port", "9090"],
        ["requestid", "1"],
      ]),
      await headers.open(7, [
        ["streamtype", "data"],
        ["port", "9090"],
        ["requestid", "1"],
      ]),
    ]);
    await fc.assert(
      fc.asyncProperty(cuts, cuts, async (reads, messages) => {
        const reader = opened("portforward", protocol, subprotocol);
        const outgoing = protocol === "spdy" ? [sent] : webSocketMessage(sent, messages, { mask });
        const events = await readAll(reader, "fromClient", cutAt(Buffer.concat(outgoing), reads));
        expect(events.flatMap((event) => (event.kind === "port" ? [event.port] : []))).toEqual([8080, 9090]);
        const carried = events.map((event) => (event.kind === "carried" && event.direction === "in" ? event.bytes : 0));
        expect(carried.reduce((a, b) => a + b, 0)).toBe(1000);
        reader.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe("T25 what cannot be read is not passed on", () => {
  const exec = { kind: "exec", protocol: "websocket" } as const;
  test.each([
    [{ ...exec, subprotocol: undefined }, false],
    [{ ...exec, subprotocol: "" }, false],
    [{ ...exec, subprotocol: "v6.channel.k8s.io" }, false],
    [{ ...exec, subprotocol: "v4.channel.k8s.io, x" }, false],
    [{ ...exec, subprotocol: "SPDY/3.1+portforward.k8s.io" }, false],
    [{ ...exec, subprotocol: "v5.channel.k8s.io" }, true],
    [{ ...exec, subprotocol: "base64.channel.k8s.io" }, true],
    [{ kind: "attach", protocol: "spdy", subprotocol: "v4.channel.k8s.io" }, true],
    [{ kind: "attach", protocol: "spdy", subprotocol: undefined }, false],
    [{ kind: "exec", protocol: "spdy", subprotocol: "v5.channel.k8s.io" }, true],
    [{ kind: "exec", protocol: "spdy", subprotocol: "portforward.k8s.io" }, false],
    [{ kind: "portforward", protocol: "spdy", subprotocol: "portforward.k8s.io" }, true],
    [{ kind: "portforward", protocol: "websocket", subprotocol: "v4.base64.channel.k8s.io" }, true],
    [{ kind: "portforward", protocol: "websocket", subprotocol: undefined }, false],
  ] as const)("%o can be read: %s", (agreed, expected) => {
    expect(isReadable(agreed)).toBe(expected);
  });

  const long = Buffer.alloc(10);
  long[0] = 0x82;
  long[1] = 127;
  long.writeBigUInt64BE(2n ** 40n, 2);
  const out = Buffer.from("\u0001x");
  test.each<[string, "fromServer" | "fromClient", Buffer]>([
    ["compressed", "fromServer", webSocketFrame(out, { reserved: 0x40 })],
    ["masked by the server", "fromServer", webSocketFrame(out, { mask })],
    ["not masked by the client", "fromClient", webSocketFrame(Buffer.from("\u0000x"))],
    ["an unknown kind", "fromServer", webSocketFrame(out, { opcode: 3 })],
    ["a continuation of nothing", "fromServer", webSocketFrame(out, { opcode: 0 })],
    ["a message within a message", "fromServer", Buffer.concat([webSocketFrame(out, { final: false }), webSocketFrame(out)])],
    ["a control frame in parts", "fromServer", webSocketFrame(out, { opcode: 9, final: false })],
    ["a long control frame", "fromServer", webSocketFrame(Buffer.alloc(126), { opcode: 9 })],
    ["after the end", "fromServer", Buffer.concat([webSocketFrame(Buffer.alloc(0), { opcode: 8 }), webSocketFrame(out)])],
    ["an absurd length", "fromServer", long],
    ["output on the input's channel", "fromServer", webSocketFrame(Buffer.from("\u0000x"))],
    ["output on an unknown channel", "fromServer", webSocketFrame(Buffer.from("\u0009x"))],
    ["input on the output's channel", "fromClient", webSocketFrame(out, { mask })],
    ["the end of two channels", "fromClient", webSocketFrame(Buffer.of(255, 0, 1), { mask })],
    // kube-apiserver and kubelets take each frame for a message, so that its first byte would be a channel.
    ["a client's message in frames", "fromClient", webSocketFrame(Buffer.from("\u0000x"), { mask, final: false })],
  ])("v5.channel.k8s.io: %s", async (_, side, bytes) => {
    await expect(opened("exec", "websocket", "v5.channel.k8s.io")[side](bytes)).rejects.toThrow(StreamUnreadable);
  });

  test.each(["1AA=", "1AAA", "1A=AA", "1AA==AAAA", "1A A="])("base64: %s", async (message) => {
    const reading = opened("exec", "websocket", "base64.channel.k8s.io").fromServer(webSocketFrame(Buffer.from(message)));
    await expect(reading).rejects.toThrow(StreamUnreadable);
  });

  const open = async (...headers: readonly (readonly [string, string])[]) => [await new SpdyHeaderWriter().open(1, headers)];
  test.each<[string, () => Promise<readonly Buffer[]>]>([
    ["no type", () => open(["port", "1"])],
    ["an unknown type", () => open(["streamtype", "side"])],
    ["two types", () => open(["streamtype", "error"], ["streamtype", "stdout"])],
    ["two values", () => open(["streamtype", "error\u0000stdout"])],
    ["a name in capitals", () => open(["StreamType", "error"])],
    ["an older version", async () => [spdyControlFrame(1, Buffer.alloc(20), 2)]],
    ["an unknown frame", async () => [spdyControlFrame(5, Buffer.alloc(20))]],
    ["headers that are no zlib", async () => [spdyControlFrame(1, Buffer.alloc(20, 1))]],
    ["an endless control frame", async () => [spdyControlFrame(4, Buffer.alloc(70_000))]],
    ["an answer of the client", async () => [spdyControlFrame(2, Buffer.alloc(10))]],
    ["data of no stream", async () => [spdyData(1, out)]],
    [
      "a stream twice",
      async () => {
        const headers = new SpdyHeaderWriter();
        return [await headers.open(3, [["streamtype", "error"]]), await headers.open(3, [["streamtype", "stdout"]])];
      },
    ],
    ["a server's number", async () => [await new SpdyHeaderWriter().open(2, [["streamtype", "error"]])]],
    [
      "more than was announced",
      async () => {
        const block = await new SpdyHeaderWriter().compressed(Buffer.from("\u0000\u0000\u0000\u0000more"));
        return [spdyControlFrame(1, Buffer.concat([Buffer.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0), block]))];
      },
    ],
    ["a great deal of headers", async () => [await new SpdyHeaderWriter().open(1, [["streamtype", "x".repeat(100_000)]])]],
    [
      "too many streams",
      async () => {
        const headers = new SpdyHeaderWriter();
        const frames: Buffer[] = [];
        for (let i = 0; i < 40; i++) frames.push(await headers.open(2 * i + 1, [["streamtype", "stdout"]]));
        return frames;
      },
    ],
  ])("SPDY of the client: %s", async (_, frames) => {
    const reader = opened("exec", "spdy", "v4.channel.k8s.io");
    await expect(readAll(reader, "fromClient", await frames())).rejects.toThrow(StreamUnreadable);
    reader.close();
  });

  test.each<[string, Buffer]>([
    ["a stream of the server's own", spdyControlFrame(1, Buffer.alloc(20))],
    ["data of an unknown stream", spdyData(7, out)],
    ["data on the input", spdyData(1, out)],
  ])("SPDY of the server: %s", async (_, bytes) => {
    const reader = opened("exec", "spdy", "v4.channel.k8s.io");
    await reader.fromClient(await new SpdyHeaderWriter().open(1, [["streamtype", "stdin"]]));
    await expect(reader.fromServer(bytes)).rejects.toThrow(StreamUnreadable);
    reader.close();
  });
});

describe("T43 a client that is cut is told why, where a frame ends", () => {
  test.each([
    ["websocket", "v5.channel.k8s.io"],
    ["websocket", "v4.base64.channel.k8s.io"],
    ["websocket", "channel.k8s.io"],
    ["spdy", "v4.channel.k8s.io"],
    ["spdy", "v3.channel.k8s.io"],
  ] as const)("%s %s", async (protocol, subprotocol) => {
    const isBase64 = subprotocol.includes("base64");
    const framed = (bytes: Buffer) => {
      if (protocol === "spdy") return spdyData(3, bytes);
      const body = isBase64 ? Buffer.from(`1${bytes.toString("base64")}`) : Buffer.concat([Buffer.of(1), bytes]);
      return webSocketFrame(body);
    };
    const openedReader = async () => {
      const reader = opened("exec", protocol, subprotocol);
      const headers = new SpdyHeaderWriter();
      if (protocol === "spdy") {
        await reader.fromClient(await headers.open(1, [["streamtype", "error"]]));
        await reader.fromClient(await headers.open(3, [["streamtype", "stdout"]]));
      }
      return reader;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 5 }), fc.nat(4000), cuts, async (payloads, at, reads) => {
        const frames = payloads.map(framed);
        const all = Buffer.concat(frames);
        const ends = frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length);
        const end = at % 3 === 0 ? (ends[at % (ends.length || 1)] ?? 0) : at % (all.length + 1);
        const reader = await openedReader();
        let isWhole = true;
        for (const part of cutAt(all.subarray(0, end), reads)) isWhole = reader.farewell.endsFrame(part);
        const words = reader.farewell.words("the grant has ended") ?? nothing;
        reader.close();
        expect(isWhole).toBe(end === 0 || ends.includes(end));
        if (!isWhole) return;
        const client = await openedReader();
        const events = await client.fromServer(Buffer.concat([all.subarray(0, end), words]));
        client.close();
        const status = Buffer.from(bytesOf(events, "status"), "hex").toString();
        if (/v[45]/.test(subprotocol))
          expect(JSON.parse(status)).toMatchObject({ status: "Failure", message: "the grant has ended" });
        else expect(status).toBe("the grant has ended");
      }),
      { numRuns: 60 },
    );
  });

  test("forwarded ports have no place for words", () => {
    const reader = opened("portforward", "websocket", "SPDY/3.1+portforward.k8s.io");
    expect(reader.farewell.words("why")).toBeUndefined();
    reader.close();
  });
});

test("the dictionary is that of SPDY/3", () => {
  expect(spdyDictionary.length).toBe(1423);
  expect(createHash("sha256").update(spdyDictionary).digest("hex")).toMatchInlineSnapshot(
    `"51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"`,
  );
});
