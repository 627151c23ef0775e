import { createInflate, type Inflate } from "node:zlib";
import { StreamUnreadable } from "./stream-event.ts";

const names =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length content-location " +
  "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match " +
  "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range " +
  "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status";
const text =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative " +
  "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal " +
  "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, " +
  "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml," +
  "text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

function word(name: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, Buffer.from(name, "latin1")]);
}

/** What headers are compressed with (SPDY/3, section 2.6.10.1). */
export const spdyDictionary = Buffer.concat([
  ...[...names.split(" "), "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"].map(word),
  Buffer.from(text, "latin1"),
]);

/** Streams of Kubernetes have three short headers; this is for what would be no stream of theirs. */
const longestBlock = 64 * 1024;

/** Inflates and reads the header blocks of one direction: they are one compressed text. */
export class SpdyHeaders {
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary });
  #parts: Buffer[] = [];
  #length = 0;
  #failure: Error | undefined;

  constructor() {
    this.#inflate.on("data", (part: Buffer) => {
      this.#length += part.length;
      if (this.#length <= longestBlock) this.#parts.push(part);
      else this.#inflate.destroy(new StreamUnreadable("headers that are too long"));
    });
    this.#inflate.on("error", (error) => {
      this.#failure ??= error;
    });
  }

  /** Rejects with `StreamUnreadable`. */
  async read(block: Buffer): Promise<ReadonlyMap<string, string>> {
    this.#parts = [];
    this.#length = 0;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => reject(new StreamUnreadable(`headers that cannot be inflated: ${error.message}`));
      if (this.#failure !== undefined) return failed(this.#failure);
      this.#inflate.once("error", failed);
      this.#inflate.write(block, (error) => {
        this.#inflate.off("error", failed);
        if (error === null || error === undefined) resolve();
        else failed(error);
      });
    });
    return parseHeaders(Buffer.concat(this.#parts));
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** Stricter than the servers: what they would read in two ways is refused. */
function parseHeaders(block: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  const number = () => {
    if (at + 4 > block.length) throw new StreamUnreadable("headers that end early");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const string = () => {
    const length = number();
    if (length > block.length - at) throw new StreamUnreadable("headers that end early");
    at += length;
    return block.toString("latin1", at - length, at);
  };
  for (let left = number(); left > 0; left--) {
    const name = string();
    const value = string();
    if (/[A-Z]/.test(name) || headers.has(name)) throw new StreamUnreadable("headers that can be read in two ways");
    headers.set(name, value);
  }
  // What is left over would be the server's beginning of the next headers.
  if (at !== block.length) throw new StreamUnreadable("more headers than were announced");
  return headers;
}
