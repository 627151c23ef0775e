import { Agent } from "undici";
import type { JsonObject, JsonValue } from "../core/json.ts";

/** A server of ours, and who asks it. */
export interface ServerAddress {
  readonly url: string;
  readonly token: string;
  /** PEM of the server's own certificate or of its authority; undefined: as the system trusts. */
  readonly certificate?: string | undefined;
  /** The certificate is known by itself, so that its names need not be those of the address. */
  readonly isPinned?: boolean | undefined;
}

export interface ServerAnswer {
  readonly status: number;
  readonly body: JsonValue;
}

export interface ServerQuestion {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: JsonObject | undefined;
  /** For answers that take their time, milliseconds. */
  readonly timeout?: number | undefined;
  /** As `castellan/VERSION`, so that the server knows its own command line. */
  readonly agent?: string | undefined;
}

/** Asks once. Rejects where nobody answers. */
export async function askAddress(
  { url, token, certificate, isPinned }: ServerAddress,
  { method, path, body, timeout = 30_000, agent: userAgent = "castellan" }: ServerQuestion,
): Promise<ServerAnswer> {
  const pinned = isPinned === true ? { allowPartialTrustChain: true, checkServerIdentity: () => undefined } : {};
  const agent = new Agent({
    headersTimeout: timeout,
    bodyTimeout: timeout,
    ...(certificate === undefined ? {} : { connect: { ca: certificate, ...pinned } }),
  });
  try {
    const headers = {
      authorization: `Bearer ${token}`,
      "user-agent": userAgent,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const content = body === undefined ? null : JSON.stringify(body);
    const response = await agent.request({ origin: new URL(url).origin, path, method, headers, body: content });
    const text = await response.body.text();
    return { status: response.statusCode, body: isJson(text) ? JSON.parse(text) : text === "" ? null : text };
  } finally {
    await agent.close();
  }
}

const isJson = (text: string): boolean => text.startsWith("{") || text.startsWith("[");
