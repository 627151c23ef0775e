import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asciicast } from "./asciicast.ts";
import { decodeEvents, encodeEvent, type RecordedEvent, type TimedEvent } from "./event.ts";

const header = { started: 1_700_000_000_999, title: "exec default/web", command: "sh -c ls", tty: true };

async function castOf(events: readonly TimedEvent[], tty = true): Promise<unknown[]> {
  async function* given() {
    yield* events;
  }
  const lines: unknown[] = [];
  for await (const line of asciicast({ ...header, tty }, given())) {
    expect(line.endsWith("\n")).toBe(true);
    lines.push(JSON.parse(line));
  }
  return lines;
}

const out = (at: number, text: string | Buffer, kind: "stdout" | "stderr" | "stdin" = "stdout"): TimedEvent => ({
  at,
  event: { kind, bytes: Buffer.from(text) },
});
const size = (at: number, width: number, height: number): TimedEvent => ({ at, event: { kind: "resize", width, height } });
const first = (width: number, height: number) => ({
  version: 2,
  width,
  height,
  timestamp: 1_700_000_000,
  command: header.command,
  title: header.title,
  env: {},
});

describe("asciicast", () => {
  test.each<[string, readonly TimedEvent[], boolean, readonly unknown[]]>([
    ["nothing", [], true, [first(80, 24)]],
    ["the terminal's first size is the header's", [size(5, 120, 40), out(10, "a")], true, [first(120, 40), [0.01, "o", "a"]]],
    [
      "a size that comes soon counts as first",
      [out(1, "a"), size(900, 100, 30), out(901, "b")],
      true,
      [first(100, 30), [0.001, "o", "a"], [0.901, "o", "b"]],
    ],
    [
      "one that comes late is a change",
      [out(1, "a"), out(1200, "b"), size(1500, 100, 30)],
      true,
      [first(80, 24), [0.001, "o", "a"], [1.2, "o", "b"], [1.5, "r", "100x30"]],
    ],
    ["later sizes", [size(0, 90, 20), size(7, 91, 21)], true, [first(90, 20), [0.007, "r", "91x21"]]],
    ["a size of nothing is none", [size(0, 0, 0), out(1500, "a")], true, [first(80, 24), [0, "r", "0x0"], [1.5, "o", "a"]]],
    ["without a terminal", [out(3, "a"), out(4, "b", "stderr")], false, [first(80, 24), [0.003, "o", "a"], [0.004, "o", "b"]]],
    ["input that was kept", [out(1500, "ls\r", "stdin")], true, [first(80, 24), [1.5, "i", "ls\r"]]],
    [
      "the end of a command is not shown",
      [{ at: 1, event: { kind: "status", bytes: Buffer.from("{}") } }],
      false,
      [first(80, 24)],
    ],
    ["time never goes back", [out(9, "a"), out(5, "b")], false, [first(80, 24), [0.009, "o", "a"], [0.009, "o", "b"]]],
    [
      "characters that came apart, on each stream",
      [out(1, Buffer.of(0xf0, 0x9f)), out(2, "e", "stderr"), out(3, Buffer.of(0x9a, 0x80, 0x41))],
      false,
      [first(80, 24), [0.002, "o", "e"], [0.003, "o", "🚀A"]],
    ],
    [
      "what is no UTF-8",
      [out(1, Buffer.of(0x41, 0xff, 0x42)), out(2, Buffer.of(0xe2, 0x82))],
      false,
      [first(80, 24), [0.001, "o", "A\ufffdB"], [0.002, "o", "\ufffd"]],
    ],
  ])("%s", async (_, events, tty, expected) => {
    expect(await castOf(events, tty)).toEqual(expected);
  });

  test("any text in any pieces comes out whole", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.array(fc.nat(300), { maxLength: 8 }),
        async (text, cuts) => {
          const whole = text.toWellFormed();
          const bytes = Buffer.from(whole);
          const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
          const lines = await castOf(
            ends.map((end, i) => out(i, bytes.subarray(ends[i - 1] ?? 0, end))),
            false,
          );
          expect(
            lines
              .slice(1)
              .map((line) => (Array.isArray(line) ? line[2] : ""))
              .join(""),
          ).toBe(whole);
        },
      ),
    );
  });
});

test("events come back as they were", () => {
  const bytes = fc.uint8Array({ maxLength: 50 }).map((b) => Buffer.from(b));
  const event: fc.Arbitrary<RecordedEvent> = fc.oneof(
    fc.record({ kind: fc.constantFrom("stdin", "stdout", "stderr", "status"), bytes }),
    fc.record({ kind: fc.constant("resize"), width: fc.nat(65535), height: fc.nat(65535) }),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(0xffffffff), event }), { maxLength: 10 }), (events) => {
      const chunk = Buffer.concat(events.map(encodeEvent));
      expect([...decodeEvents(chunk)]).toEqual(events);
      if (chunk.length > 0) expect(() => [...decodeEvents(chunk.subarray(0, -1))]).toThrow("damaged");
    }),
  );
});
