import { Agent, request } from "undici";
import { parseExactJson } from "../../core/exact-json.ts";
import type { JsonValue } from "../../core/json.ts";

/** Who is on call, as a service knows them. */
export interface OnCallClient {
  /** Ids of the users who are on call by this schedule now; rejects where that cannot be learnt. */
  onCall(schedule: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface OnCallOptions {
  /** Origin of the service's API. */
  readonly url: string;
  readonly token: string;
}

const timeoutMilliseconds = 10_000;
const maximumBytes = 1024 * 1024;

/** Asks a service's API for JSON. It follows no redirects: the token is for one origin. */
export class OnCallApi {
  readonly #agent = new Agent({
    headersTimeout: timeoutMilliseconds,
    bodyTimeout: timeoutMilliseconds,
    maxResponseSize: maximumBytes,
  });
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Rejects with what the service said, without what we sent. */
  async get(url: URL, headers: { readonly [name: string]: string }): Promise<JsonValue> {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const { statusCode, body } = await request(url, { dispatcher: this.#agent, headers, signal });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${this.#name} answered ${statusCode}`);
    try {
      return parseExactJson(text);
    } catch {
      throw new Error(`${this.#name} answered no JSON`);
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
