import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const inflate = promisify(gunzip);

/** What a request brought, or why it is not taken, with the HTTP status that says so. */
export type Body =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly status: 400 | 413 | 415; readonly message: string };

/**
 * An object may have 3 MB in etcd's limit of a request; a review holds it twice. The API server keeps its audit batches at 10 MiB of
 * events, without what is around them, where it is told to.
 */
export const maximumBody = 16 * 1024 * 1024;
/** A compressed body may become so large. */
export const maximumInflated = 64 * 1024 * 1024;

const tooLarge: Body = {
  ok: false,
  status: 413,
  message: `a body may have ${maximumBody} bytes, ${maximumInflated} once inflated`,
};

/** Reads the whole of a body, as it is or by gzip; of one that is too large no more than the limit. Rejects where the connection breaks. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity")
    return { ok: false, status: 415, message: `content-encoding ${encoding} is not known here: gzip, or none` };
  if (Number(request.headers["content-length"] ?? 0) > maximumBody) return tooLarge;
  const bytes = await bytesOf(request);
  if (bytes === undefined) return tooLarge;
  if (encoding === "identity") return { ok: true, bytes };
  return inflate(bytes, { maxOutputLength: maximumInflated }).then(
    (whole): Body => ({ ok: true, bytes: whole }),
    (error: NodeJS.ErrnoException): Body =>
      error.code === "ERR_BUFFER_TOO_LARGE"
        ? tooLarge
        : { ok: false, status: 400, message: `the body is not the gzip that it says it is: ${error.message}` },
  );
}

/** Undefined where there is more than may be. Listeners cost a third of what an asynchronous iterator does. */
function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maximumBody) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
    });
    request.on("error", reject);
  });
}
