import type { Duplex } from "node:stream";
import type { StreamTap } from "./tap.ts";

export interface RelayedStream {
  readonly client: Duplex;
  readonly server: Duplex;
  /** What each side sent behind its head. */
  readonly early: Buffer;
  readonly rest: Buffer;
  readonly tap: StreamTap | undefined;
  /** The stream has ended, or must; may be called more than once, and calls the answer of `relayStream`. */
  readonly over: (why: string) => void;
}

/** So much of one direction may wait for the disk and for a slow peer. */
const windowBytes = 1024 * 1024;
/** A side that has everything has so long to close. */
const closeMilliseconds = 5000;
/** The beginning of a frame waits for its rest, so that a client that is cut can be told why; larger frames do not wait. */
const holdBytes = 64 * 1024;
/** A client that is cut has so long to take what tells it why. */
const farewellMilliseconds = 500;

/**
 * Passes the bytes of both directions on: each piece is seen by the tap first, and nothing overtakes it. What was sent before an
 * end still arrives. The answer cuts both sides, and tells the client why where that is possible.
 */
export function relayStream({ client, server, early, rest, tap, over }: RelayedStream): (why: string) => void {
  let last = "the client has gone";
  const ending = (why: string) => {
    last = why;
    setTimeout(() => over(why), closeMilliseconds).unref();
  };
  for (const socket of [client, server]) socket.on("error", () => {});
  client.on("close", () => over(last));
  const cut = (error: unknown) => over(error instanceof Error ? error.message : String(error));
  const held: Buffer[] = [];
  let endsFrame = true;
  const flush = (isWhole: boolean) => {
    endsFrame = isWhole;
    return write(client, Buffer.concat(held.splice(0)));
  };
  const deliver = (bytes: Buffer) => {
    held.push(bytes);
    const isWhole = tap?.endsFrame(bytes) ?? true;
    const length = held.reduce((sum, part) => sum + part.length, 0);
    return isWhole || length > holdBytes ? flush(isWhole) : undefined;
  };
  pass(server, deliver, rest, (bytes) => tap?.toClient(bytes), cut).then((broken) => {
    ending(broken === undefined ? "the API server ended it" : `the API server's connection broke: ${broken.message}`);
    // What is left of a frame that never became whole.
    if (held.length > 0) void flush(false);
    client.end();
  }, cut);
  pass(
    client,
    (bytes) => write(server, bytes),
    early,
    (bytes) => tap?.toServer(bytes),
    cut,
  ).then((broken) => {
    if (broken !== undefined) return over(`the client's connection broke: ${broken.message}`);
    if (!server.writableEnded) ending("the client has gone");
    server.end();
  }, cut);
  return (why) => {
    server.destroy();
    const words = client.writable && endsFrame ? tap?.farewell(why) : undefined;
    if (words === undefined) return void client.destroy();
    client.end(words);
    setTimeout(() => client.destroy(), farewellMilliseconds).unref();
  };
}

/**
 * Resolves when `from` has ended and everything is written, with the error where its connection broke. Where the tap refuses a
 * piece, nothing of it is written, nor of what comes behind it: `refused` is called, and it rejects.
 */
async function pass(
  from: Duplex,
  deliver: (bytes: Buffer) => Promise<void> | undefined,
  first: Buffer,
  see: (bytes: Buffer) => Promise<void> | undefined,
  refused: (error: unknown) => void,
): Promise<Error | undefined> {
  let written: Promise<void> = Promise.resolve();
  let waiting = 0;
  const marks: Promise<void>[] = [];
  const take = (bytes: Buffer) => {
    waiting += bytes.length;
    const before = written;
    const seen = see(bytes);
    written = Promise.all([before, seen]).then(async () => {
      await deliver(bytes);
      waiting -= bytes.length;
    });
    // Awaited below, too, but the next piece may be long in coming.
    written.catch(refused);
    marks.push(written);
  };
  if (first.length > 0) take(first);
  let broken: Error | undefined;
  const pieces = from.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await pieces.next().catch((error: unknown): undefined => {
      broken = error instanceof Error ? error : new Error(String(error));
    });
    if (next === undefined || next.done === true) break;
    take(next.value);
    while (waiting > windowBytes) await marks.shift();
    if (waiting === 0) marks.length = 0;
  }
  await written;
  return broken;
}

/** What comes for a side that is gone is of no use to anybody. */
function write(to: Duplex, bytes: Buffer): Promise<void> | undefined {
  if (!to.writable || to.write(bytes)) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done).off("close", done);
      resolve();
    };
    to.on("drain", done).on("close", done);
  });
}
