import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import { sharedKey } from "../../src/adapters/store/grant-tokens.ts";
import { StoredOauthRecords } from "../../src/adapters/store/oauth-records.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { consoleIdentities } from "../../src/cli/console-identities.ts";
import { serveIdentity } from "../../src/cli/serve-identity.ts";
import { type Api, createApi } from "../../src/server/api/api.ts";
import { addLoginRoutes } from "../../src/server/api/login-routes.ts";
import { Sessions } from "../../src/server/api/session.ts";
import { type Authenticator, type Directory, mostHeaderBytes } from "../../src/services/access/identity.ts";

const run = promisify(execFile);

/** Everything is of P-256, and lives for a day unless told otherwise. */
export class TestAuthority {
  readonly #directory: string;
  constructor(directory: string) {
    this.#directory = directory;
  }

  get file(): string {
    return join(this.#directory, "ca.crt");
  }

  async make(): Promise<this> {
    await mkdir(this.#directory, { recursive: true });
    await this.#openssl(
      ["req", "-x509", "-new", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"],
      [
        ["-keyout", "ca.key"],
        ["-out", "ca.crt"],
        ["-subj", "/CN=test authority"],
      ],
    );
    return this;
  }

  /** PEM of a certificate and its key; `extensions` as in an OpenSSL configuration. */
  async issue(
    name: string,
    subject: string,
    extensions: string,
    days = 1,
  ): Promise<{ readonly cert: string; readonly key: string }> {
    await writeFile(join(this.#directory, `${name}.ext`), extensions);
    await this.#openssl(
      ["req", "-new", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      [
        ["-keyout", `${name}.key`],
        ["-out", `${name}.csr`],
        ["-subj", subject],
      ],
    );
    await this.#openssl(
      ["x509", "-req", "-CAcreateserial", "-days", String(days)],
      [
        ["-in", `${name}.csr`],
        ["-CA", "ca.crt"],
        ["-CAkey", "ca.key"],
        ["-extfile", `${name}.ext`],
        ["-out", `${name}.crt`],
      ],
    );
    const read = (file: string) => readFile(join(this.#directory, file), "utf8");
    return { cert: await read(`${name}.crt`), key: await read(`${name}.key`) };
  }

  async #openssl(first: readonly string[], options: readonly (readonly [string, string])[]): Promise<void> {
    await run("openssl", [...first, ...options.flat()], { cwd: this.#directory });
  }
}

/** A TLS listener that answers with who its authenticator says it is. */
export async function startWhoAmI(
  authenticator: () => Authenticator,
  tls: { readonly cert: string; readonly key: string },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(
    { ...tls, ...authenticator().clientCertificates, maxHeaderSize: mostHeaderBytes },
    (request, response) => void answer(request, response),
  ).listen(0, "127.0.0.1");
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerX509Certificate();
    const said = await authenticator().authenticate({
      authorization: request.headersDistinct["authorization"] ?? [],
      peer: certificate === undefined ? undefined : { certificate, authorized: socket.authorized },
    });
    response.writeHead(said.ok ? 200 : said.status, { "content-type": "application/json" });
    response.end(JSON.stringify(said));
  }
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  return {
    url: `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface IdentityServerOptions {
  /** Its data directory. */
  readonly data: string;
  readonly store: Store;
  /** The fields of an `Identities` document. */
  readonly identities: object;
  readonly port?: number;
  readonly env?: { readonly [name: string]: string };
  readonly locked?: ReadonlySet<string>;
  readonly directory?: Directory;
  /** What vouches for the gateway's own certificate. */
  readonly authority: TestAuthority;
}

export interface IdentityServer {
  readonly url: string;
  readonly gateway: string;
  /** All that was written to its log. */
  readonly log: string[];
  close(): Promise<void>;
}

/** The console's listener with logins and tokens, and a listener behind its authenticator, as the gateway's is. */
export async function startIdentityServer(options: IdentityServerOptions): Promise<IdentityServer> {
  const { data, store, authority } = options;
  await mkdir(data, { recursive: true });
  const file = join(data, "identities.json");
  await writeFile(file, JSON.stringify({ apiVersion: "castellan.dev/v1alpha1", kind: "Identities", ...options.identities }));
  const log: string[] = [];
  const write = (text: string) => void log.push(text);
  const io = { out: write, err: write, env: options.env ?? {}, outColumns: undefined, errIsTerminal: false, now: Date.now };
  const logins = await consoleIdentities("127.0.0.1", { identities: file }, { io, version: "0.0.0-test", exit: () => {} });
  const sessions = new Sessions({
    hosts: ["127.0.0.1", "localhost"],
    records: new StoredOauthRecords(store.db, Date.now),
    secret: await sharedKey(store.db, "console"),
    settings: JSON.stringify(logins.document),
    now: Date.now,
    lifetime: 86_400_000,
  });
  let url = "";
  let gateway = "";
  const identity = await serveIdentity(
    logins,
    {
      store,
      data,
      directory: options.directory ?? (() => undefined),
      isLocked: (human) => options.locked?.has(human) === true,
      connection: () => ({ gateway, certificateAuthority: ca, clusters: [{ name: "test", path: "/" }] }),
    },
    { address: () => url, now: Date.now, onError: (error) => write(String(error)) },
  );
  const ca = await readFile(authority.file, "utf8");
  const { tls: _tls, hosts: _hosts, ...routes } = logins;
  const api: Api = await createApi({
    version: "0.0.0-test",
    pages: undefined,
    sessions,
    tokenUser: identity.tokenUser,
    renewed: identity.renewed,
    secure: false,
    waitingFor: () => [],
    metrics: async () => [],
    onError: (error, request) => write(`${request}: ${error}`),
  });
  addLoginRoutes(api, { ...routes, sessions, admit: identity.admit, onLogin: identity.onLogin, now: Date.now });
  identity.addRoutes(api, sessions);
  api.get("/api/v1/me", { config: { role: "anybody" } }, async () => ({ ok: true }));
  const authenticator = identity.authenticator("127.0.0.1");
  const listener = await startWhoAmI(
    () => authenticator,
    await authority.issue("gateway", "/CN=gateway", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"),
  );
  gateway = listener.url;
  url = await api.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  return {
    url,
    gateway,
    log,
    close: async () => {
      await api.close();
      await listener.close();
    },
  };
}

/** What a gateway says to a token. */
export async function tokenTo(
  gateway: string,
  authority: TestAuthority,
  token: string,
  client?: { readonly cert: string; readonly key: string },
): Promise<{ readonly status: number; readonly body: { readonly [field: string]: unknown } }> {
  const dispatcher = new Agent({ connect: { ca: await readFile(authority.file, "utf8"), ...client } });
  try {
    const { statusCode, body } = await request(gateway, { dispatcher, headers: { authorization: `Bearer ${token}` } });
    return { status: statusCode, body: JSON.parse(await body.text()) };
  } finally {
    await dispatcher.close();
  }
}
