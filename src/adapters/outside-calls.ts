import { Agent, errors } from "undici";
import { parseExactJson, writeExactJson } from "../core/exact-json.ts";
import type { Fact, Need } from "../core/facts.ts";

/** A call that a policy wants made to a service outside the API server. */
export type OutsideCall = Extract<Need, { readonly kind: "http-call" }>;

const timeoutMilliseconds = 10_000;
/** As much as Kyverno takes. */
const mostBytes = 2 * 1024 * 1024;
const mostAuthorities = 50;
/** What some servers read as the end of a step of the path, or of its parameters, and so as the way out of it. */
const escapes = /%2f|%5c|%25|;/i;
/** What the connection says of itself is not for policies to say. */
const ownHeaders: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

/**
 * Makes calls to the services that the operator named, each by an origin and where its paths begin; redirects are not followed. Every other
 * call, an answer that is no JSON and a status that is no success are facts that say why.
 */
export class OutsideCalls {
  readonly #allowed: readonly URL[];
  /** By the authority that a call trusts; empty: those of the system. */
  readonly #agents = new Map<string, Agent>();

  constructor(allowed: readonly URL[]) {
    this.#allowed = allowed;
  }

  async call(need: OutsideCall, signal: AbortSignal): Promise<Fact> {
    const url = URL.parse(need.url);
    if (url === null || !this.#allows(url)) {
      // What comes after the path, or before the host, may be secret.
      const what = url === null ? "what is called" : `${url.origin}${url.pathname}`;
      return failed(`${what} is outside the cluster, and castellan serve was not started with --allow-calls for it`);
    }
    try {
      return await this.#send(need, url, AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]));
    } catch (error) {
      if (error instanceof errors.ResponseExceededMaxSizeError)
        return failed(`${url.origin}${url.pathname} answered more than ${mostBytes} bytes`);
      return failed(`${url.origin}${url.pathname} does not answer: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #allows(url: URL): boolean {
    if (url.username !== "" || url.password !== "") return false;
    return this.#allowed.some(({ origin, pathname }) => {
      const below = pathname.endsWith("/") ? pathname : `${pathname}/`;
      if (url.origin !== origin) return false;
      return below === "/" || url.pathname === pathname || (url.pathname.startsWith(below) && !escapes.test(url.pathname));
    });
  }

  async #send({ method, headers, body, caBundle = "" }: OutsideCall, url: URL, signal: AbortSignal): Promise<Fact> {
    const sent = Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase()));
    const hasBody = method === "POST";
    const { statusCode, body: answer } = await this.#agentOf(caBundle).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...(hasBody ? { "content-type": "application/json" } : {}), ...Object.fromEntries(sent) },
      body: hasBody ? writeExactJson(body ?? null) : null,
      signal,
    });
    const text = await answer.text();
    if (statusCode < 200 || statusCode > 299)
      return failed(`${url.origin}${url.pathname} answered with the status ${statusCode}`);
    try {
      return { ok: true, value: parseExactJson(text) };
    } catch {
      return failed(`${url.origin}${url.pathname} answered with something that is no JSON`);
    }
  }

  #agentOf(caBundle: string): Agent {
    let agent = this.#agents.get(caBundle);
    if (agent === undefined) {
      if (this.#agents.size >= mostAuthorities) this.#forget();
      const connect = { timeout: timeoutMilliseconds, ...(caBundle === "" ? {} : { ca: caBundle }) };
      agent = new Agent({ connect, maxResponseSize: mostBytes });
      this.#agents.set(caBundle, agent);
    }
    return agent;
  }

  /** Calls that are on their way still end. */
  #forget(): void {
    for (const agent of this.#agents.values()) void agent.close();
    this.#agents.clear();
  }
}

const failed = (message: string): Fact => ({ ok: false, message });
