import { Agent } from "undici";
import type { Delivery } from "./notice.ts";

export interface HttpMessage {
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** The first 64 KiB. */
  readonly text: string;
  readonly retryAfter: number | undefined;
}

const timeoutMilliseconds = 10_000;
const mostBytes = 64 * 1024;

/** Posts once; redirects are answers as others are, never followed. Rejects where nobody answers. */
export async function post({ url, headers, body }: HttpMessage): Promise<HttpAnswer> {
  const agent = new Agent({ connectTimeout: timeoutMilliseconds });
  try {
    const response = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: "POST",
      headers,
      body,
      headersTimeout: timeoutMilliseconds,
      bodyTimeout: timeoutMilliseconds,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > mostBytes) break;
      chunks.push(bytes);
    }
    const after = Number(response.headers["retry-after"]);
    return {
      status: response.statusCode,
      text: Buffer.concat(chunks).toString("utf8"),
      retryAfter: Number.isFinite(after) && after > 0 ? after * 1000 : undefined,
    };
  } finally {
    // What is left of a body that is too long goes with its connection.
    await agent.destroy();
  }
}

/** Posts, and says whether another attempt may help. */
export async function deliver(message: HttpMessage): Promise<Delivery> {
  const answer = await post(message).catch((error: unknown) => connectionProblem(error));
  if ("ok" in answer) return answer;
  return deliveryOf(answer);
}

export function deliveryOf({ status, retryAfter }: HttpAnswer): Delivery {
  if (status >= 200 && status < 300) return { ok: true };
  const retry = status === 408 || status === 425 || status === 429 || status >= 500;
  return { ok: false, problem: `it answered ${status}`, retry, after: retryAfter };
}

/** Messages of connections name hosts and ports; the path, which may be a secret, is in none of them. */
export function connectionProblem(error: unknown): Delivery & { readonly ok: false } {
  const code = error instanceof Error && "code" in error ? String(error.code) : error instanceof Error ? error.name : "error";
  return { ok: false, problem: `it cannot be reached: ${code}`, retry: true };
}
