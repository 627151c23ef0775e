import { duplexPair } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { relayStream } from "./relay.ts";
import type { StreamTap } from "./tap.ts";

const nothing = Buffer.alloc(0);

/** Both ends of a relay: the client's and the server's own sides. */
function relayed(seen: Partial<StreamTap> = {}, more: { readonly early?: Buffer; readonly rest?: Buffer } = {}) {
  const [ours, client] = duplexPair({ highWaterMark: 64 * 1024 });
  const [upstream, server] = duplexPair({ highWaterMark: 64 * 1024 });
  const whys: string[] = [];
  const tap: StreamTap = {
    agreed: () => true,
    toClient: async () => {},
    toServer: async () => {},
    endsFrame: () => true,
    farewell: () => undefined,
    end: async () => {},
    ...seen,
  };
  const cut = relayStream({
    client: ours,
    server: upstream,
    early: more.early ?? nothing,
    rest: more.rest ?? nothing,
    tap,
    over: (why) => {
      whys.push(why);
      if (whys.length === 1) cut(why);
    },
  });
  return { client, server, whys, cut };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

describe("relay", () => {
  test("what was sent behind the heads, and before the end, arrives, however slow the tap and the client are", async () => {
    const { client, server, whys } = relayed({ toClient: () => sleep(1) }, { rest: Buffer.from("behind the head ") });
    const sent = Buffer.alloc(3_000_000, "abc");
    server.write(sent);
    server.end("the end");
    await sleep(50);
    const all = await readAll(client);
    expect(all.length).toBe("behind the head ".length + sent.length + "the end".length);
    expect(all.subarray(0, 16).toString() + all.subarray(-7).toString()).toBe("behind the head the end");
    client.end();
    await expect.poll(() => whys[0]).toBe("the API server ended it");
  });

  test("pieces arrive in order, though a later one was seen before", async () => {
    const waits = [20, 10, 0];
    const { client, server } = relayed({ toClient: () => sleep(waits.shift() ?? 0) });
    for (const text of ["one ", "two ", "three"]) {
      server.write(text);
      await sleep(1);
    }
    server.end();
    expect((await readAll(client)).toString()).toBe("one two three");
  });

  test("T28 what the tap refuses is not passed on, nor what comes behind it, and both sides are cut", async () => {
    let count = 0;
    const toClient = async () => {
      if (++count === 2) throw new Error("disk full");
    };
    const { client, server, whys } = relayed({ toClient });
    const seen: string[] = [];
    client.on("data", (part: Buffer) => seen.push(part.toString())).on("error", () => {});
    server.on("error", () => {});
    for (const text of ["one", "two", "three"]) {
      if (!server.destroyed) server.write(text);
      await sleep(5);
    }
    await expect.poll(() => whys[0]).toBe("disk full");
    expect(seen).toEqual(["one"]);
  });

  test("T43 a client that is cut gets the last words behind a whole frame, and nothing of one that is not whole", async () => {
    const words = (why: string) => Buffer.from(`<${why}>`);
    const endsFrame = (bytes: Buffer) => bytes.toString().endsWith(".");
    const { client, server, cut } = relayed({ endsFrame, farewell: words });
    const reading = readAll(client);
    for (const text of ["one", " frame.", "half a "]) {
      server.write(text);
      await sleep(5);
    }
    cut("the grant has ended");
    expect((await reading).toString()).toBe("one frame.<the grant has ended>");
  });

  test("frames that are very long do not wait, and then there is no place for words", async () => {
    const { client, server, cut } = relayed({ endsFrame: () => false, farewell: () => Buffer.from("words") });
    const parts: Buffer[] = [];
    client.on("data", (part: Buffer) => parts.push(part)).on("error", () => {});
    server.write(Buffer.alloc(100_000));
    await expect.poll(() => Buffer.concat(parts).length).toBe(100_000);
    cut("why");
    await sleep(20);
    expect(Buffer.concat(parts).length).toBe(100_000);
  });

  test("what is left of a frame when the server ends still arrives", async () => {
    const { client, server } = relayed({ endsFrame: () => false });
    server.end("half");
    expect((await readAll(client)).toString()).toBe("half");
  });

  test("a client that has gone ends it, after what it sent has arrived", async () => {
    const { client, server, whys } = relayed({}, { early: Buffer.from("early ") });
    client.end("late");
    expect((await readAll(server)).toString()).toBe("early late");
    server.end();
    client.resume();
    await expect.poll(() => whys.length).toBeGreaterThan(0);
  });

  test("a server whose connection breaks: what it sent arrives, and why is said", async () => {
    const { client, server, whys } = relayed();
    const reading = readAll(client);
    server.write("something");
    await sleep(10);
    server.destroy();
    expect((await reading).toString()).toBe("something");
    client.end();
    await expect.poll(() => whys[0]).toMatch(/API server/);
  });
});
