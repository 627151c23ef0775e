import { createHash } from "node:crypto";
import { Agent, type Dispatcher } from "undici";
import type { ImageReference } from "../../core/image-reference.ts";

/** What is asked of a registry lasts no longer, redirects and tokens included. */
const timeoutMilliseconds = 10_000;
/** The distribution specification wants registries to take manifests of 4 MiB. */
const mostManifestBytes = 4 * 1024 * 1024;
const mostRedirects = 3;
/** More questions wait: their answers are held in memory. */
const connectionsPerHost = 8;
/** A token is used again for so long; registries give them 60 s at least. */
const tokenMilliseconds = 50_000;
const mostTokens = 1000;

/** How registries answer that do not know of referrers. */
const unknownReferrers = [400, 405, 406];

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

/** A registry as the operator allows it, and as whom it is asked. */
export interface RegistryAccess {
  /** `https://ghcr.io` */
  readonly origin: string;
  /** `user:password`; undefined: as anybody. */
  readonly credentials: string | undefined;
}

/** A repository at a registry that may be asked. */
export interface Repository {
  readonly access: RegistryAccess;
  /** `library/nginx` */
  readonly path: string;
}

/** Content by which it was asked for, checked against its digest where that is known. */
export interface Content {
  readonly bytes: Buffer;
  /** `sha256:...` of the bytes. */
  readonly digest: string;
}

/** A registry did not give what it was asked for: its message says what and why. */
export class RegistryError extends Error {
  /** There is no such thing, it cannot be used, or may not be asked for: to ask again would change nothing. */
  readonly isFinal: boolean;

  constructor(message: string, { isFinal = false } = {}) {
    super(message);
    this.isFinal = isFinal;
  }
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Reads manifests and blobs by the OCI distribution specification 1.1, with the tokens of Docker's token authentication. */
export class RegistryClient {
  readonly #agent = new Agent({ connect: { timeout: timeoutMilliseconds }, connections: connectionsPerHost });
  readonly #now: () => number;
  /** By origin and repository. */
  readonly #tokens = new Map<string, { readonly authorization: string; readonly at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** By tag or digest. @throws RegistryError */
  async manifest(repository: Repository, { tag, digest }: Pick<ImageReference, "tag" | "digest">, signal: AbortSignal) {
    const content = await this.#get(repository, `manifests/${digest === "" ? tag : digest}`, mostManifestBytes, signal);
    return checked(content, digest);
  }

  /** @throws RegistryError */
  async blob(repository: Repository, digest: string, mostBytes: number, signal: AbortSignal): Promise<Content> {
    return checked(await this.#get(repository, `blobs/${digest}`, mostBytes, signal), digest);
  }

  /** The index of what refers to a manifest. @throws RegistryError, also where the registry does not know of referrers */
  referrers(repository: Repository, digest: string, signal: AbortSignal): Promise<Content> {
    return this.#get(repository, `referrers/${digest}`, mostManifestBytes, signal);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** `what`: a path below the repository; digests and tags in it come from others' documents. */
  async #get(repository: Repository, what: string, mostBytes: number, signal: AbortSignal): Promise<Content> {
    if (!safePath.test(what)) throw new RegistryError(`${what} is neither a tag nor a digest`, { isFinal: true });
    const { access, path } = repository;
    const url = new URL(`/v2/${path}/${what}`, access.origin);
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
    try {
      let answer = await this.#ask(url, this.#tokens.get(tokenKey(repository)), within);
      if (answer.statusCode === 401) {
        const challenge = String(answer.headers["www-authenticate"] ?? "");
        await answer.body.dump();
        answer = await this.#ask(url, await this.#token(repository, challenge, within), within);
      }
      for (let hop = 0; isRedirect(answer.statusCode); hop++) {
        await answer.body.dump();
        if (hop === mostRedirects) throw new RegistryError(`${url.host} redirects more than ${mostRedirects} times`);
        // Where blobs are kept is asked without the registry's credentials: the address itself is the permission.
        answer = await this.#ask(elsewhere(String(answer.headers["location"] ?? ""), url.origin, "redirects"), undefined, within);
      }
      if (answer.statusCode !== 200) {
        await answer.body.dump();
        throw new RegistryError(`${url.host}${url.pathname}: HTTP status ${answer.statusCode}`, {
          isFinal: answer.statusCode === 404 || (what.startsWith("referrers/") && unknownReferrers.includes(answer.statusCode)),
        });
      }
      const bytes = await read(answer.body, mostBytes, url);
      return { bytes, digest: digestOf(bytes) };
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      throw new RegistryError(`${url.host}${url.pathname}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #ask(url: URL, token: { readonly authorization: string; readonly at: number } | undefined, signal: AbortSignal) {
    const isFresh = token !== undefined && this.#now() - token.at < tokenMilliseconds;
    return this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: { accept: [...manifestTypes, "*/*"].join(", "), ...(isFresh ? { authorization: token.authorization } : {}) },
      signal,
    });
  }

  /** By the challenge of a 401 (RFC 7235; Docker's token authentication for Bearer). */
  async #token(repository: Repository, challenge: string, signal: AbortSignal) {
    const { access, path } = repository;
    const basic = access.credentials === undefined ? undefined : `Basic ${Buffer.from(access.credentials).toString("base64")}`;
    const [scheme = ""] = challenge.split(" ", 1);
    let authorization = scheme.toLowerCase() === "basic" ? basic : undefined;
    if (scheme.toLowerCase() === "bearer") {
      const realm = elsewhere(parameterOf(challenge, "realm"), access.origin, "sends for tokens");
      realm.searchParams.set("service", parameterOf(challenge, "service"));
      realm.searchParams.set("scope", `repository:${path}:pull`);
      const answer = await this.#agent.request({
        origin: realm.origin,
        path: realm.pathname + realm.search,
        method: "GET",
        headers: basic === undefined ? {} : { authorization: basic },
        signal,
      });
      const given: unknown = JSON.parse((await read(answer.body, mostManifestBytes, realm)).toString());
      const token = tokenIn(given);
      if (answer.statusCode !== 200 || token === undefined) throw new RegistryError(`${realm.host} gives no token for ${path}`);
      authorization = `Bearer ${token}`;
    }
    if (authorization === undefined) throw new RegistryError(`${access.origin} wants credentials`);
    const token = { authorization, at: this.#now() };
    if (this.#tokens.size >= mostTokens) this.#tokens.clear();
    this.#tokens.set(tokenKey(repository), token);
    return token;
  }
}

const safePath = /^(?:manifests|blobs|referrers)\/(?:\w[\w.-]{0,127}|sha(?:256|384|512):[a-f0-9]{64,128})$/;

const tokenKey = ({ access, path }: Repository): string => `${access.origin} ${path}`;
const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

const parameterOf = (challenge: string, name: string): string =>
  new RegExp(`[ ,]${name}="([^"]*)"`, "i").exec(challenge)?.[1] ?? "";

function tokenIn(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const token = "token" in given ? given.token : "access_token" in given ? given.access_token : undefined;
  return typeof token === "string" && token !== "" ? token : undefined;
}

/** Addresses of the machine itself and of its cloud's metadata, as they stand in a URL's host. */
const ownAddress = /^(?:127\.|0\.|169\.254\.|\[(?:::|fe[89ab]|fd00:ec2:)|localhost$)/;

/** Where a registry points to: nobody else reads what goes there, and it is not what only this machine can reach. @throws RegistryError */
function elsewhere(location: string, origin: string, does: string): URL {
  const to = URL.parse(location, origin);
  if (to === null || (to.protocol !== "https:" && to.origin !== origin))
    throw new RegistryError(`${origin} ${does} to a place that is not https`);
  if (to.origin !== origin && ownAddress.test(to.hostname))
    throw new RegistryError(`${origin} ${does} to ${to.hostname}, an address of the machine that asks`);
  return to;
}

async function read(body: Dispatcher.ResponseData["body"], mostBytes: number, url: URL): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > mostBytes)
      throw new RegistryError(`${url.host}${url.pathname} has more than ${mostBytes} bytes`, { isFinal: true });
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

/** @throws RegistryError where the bytes are others than those asked for */
function checked(content: Content, digest: string): Content {
  if (digest !== "" && content.digest !== digest)
    throw new RegistryError(`the content of ${digest} has the digest ${content.digest}`, { isFinal: true });
  return content;
}
