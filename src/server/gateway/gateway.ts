import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { TlsIdentity } from "../tls-identity.ts";
import { traced } from "../tracing.ts";
import { isForHost } from "./browser.ts";
import { Call, type Outlet } from "./call.ts";
import type { GatewayParts } from "./parts.ts";
import { noteOutcome } from "./record.ts";
import { type Reply, replyOver, replyOverSocket } from "./reply.ts";
import { decide } from "./stages.ts";
import { refusal } from "./status.ts";

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: TlsIdentity;
  /** Names and addresses for which it answers; undefined: all. */
  readonly hosts?: ReadonlySet<string> | undefined;
  /** By the first segments of their path: `/clusters/<name>`, or nothing for the cluster at the root. */
  readonly clusters: ReadonlyMap<string, GatewayParts>;
  /** How long the header lines of a request may take, milliseconds; 20 seconds unless told. */
  readonly headersMilliseconds?: number | undefined;
}

export interface Gateway {
  readonly host: string;
  readonly port: number;
  /** Takes up a renewed certificate; connections that are open stay. */
  renew(identity: TlsIdentity): void;
  /** Takes no more calls, cuts what is open, and resolves when calls under way are answered. */
  close(): Promise<void>;
}

/** For all header lines of a request together: a token of 16 KiB and 512 groups fit; more is answered with 431. */
const headerBytes = 64 * 1024;
const usualHeadersMilliseconds = 20_000;
/** To receive a whole request; bodies are of at most a few MiB. */
const requestMilliseconds = 300_000;
const keepAliveMilliseconds = 75_000;
/** Calls under way have so long when the gateway stops. */
const closeMilliseconds = 10_000;
/** A peer that is gone without a word is noticed after this and ten probes a second apart. */
const probeMilliseconds = 15_000;

/**
 * The TLS listener that kubectl and its like talk to, by HTTP/1.1. Not by HTTP/2: clients fall back by themselves (ALPN), upgrades need
 * HTTP/1.1 anyway, and one way in is one parser to trust.
 */
export async function listenForCalls({
  headersMilliseconds = usualHeadersMilliseconds,
  host,
  port,
  identity,
  hosts,
  clusters,
}: GatewayOptions): Promise<Gateway> {
  const all = [...clusters.values()];
  const [first] = all;
  if (first === undefined) throw new Error("a gateway leads to one cluster at least");
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      maxHeaderSize: headerBytes,
      headersTimeout: headersMilliseconds,
      requestTimeout: requestMilliseconds,
      connectionsCheckingInterval: headersMilliseconds / 4,
      keepAliveTimeout: keepAliveMilliseconds,
      keepAlive: true,
      keepAliveInitialDelay: probeMilliseconds,
      noDelay: true,
      ...first.authenticator.clientCertificates,
    },
    (request, response) => {
      take(request, { kind: "response", response }, replyOver(response), { clusters, hosts });
    },
  );
  // Counted by bytes alone: lines beyond a number would be dropped without a word.
  server.maxHeadersCount = 0;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, early: Buffer) => {
    socket.on("error", () => socket.destroy());
    const protocol = request.headers.upgrade ?? "";
    take(request, { kind: "upgrade", socket, protocol, early }, replyOverSocket(socket), { clusters, hosts });
  });
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    replyOverSocket(socket).refuse(refusal(405, "CONNECT is not taken: the gateway leads to one API server"), "");
  });
  // `Expect: 100-continue` is answered before the body is read by the default handler; other expectations are refused.
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    replyOver(response).refuse(refusal(417, "the Expect header asks for what is not offered", { close: true }), "");
  });
  // Told again for what comes behind the first error.
  const answered = new WeakSet<Duplex>();
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (answered.has(socket)) return;
    answered.add(socket);
    if (!socket.writable) return void socket.destroy();
    replyOverSocket(socket).refuse(parseRefusal(error.code), "");
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const stopped = all.flatMap(({ rights, guardrails, streams }) => [
    rights.onChange(() => streams.recheck()),
    guardrails.onChange(() => streams.recheck()),
  ]);
  return {
    host,
    port: portOf(server),
    // Node forgets what is not said again: whose client certificates are taken, and the oldest protocol.
    renew: ({ certificate: cert, key }) =>
      server.setSecureContext({ cert, key, minVersion: "TLSv1.2", ...first.authenticator.clientCertificates }),
    close: () =>
      new Promise((resolve) => {
        for (const stop of stopped) stop();
        server.close(() => resolve());
        for (const { streams } of all) streams.stop();
        server.closeIdleConnections();
        // Calls that wait for an approval would wait on.
        setTimeout(() => server.closeAllConnections(), closeMilliseconds).unref();
      }),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function parseRefusal(code: string | undefined) {
  if (code === "HPE_HEADER_OVERFLOW") return refusal(431, `the request's headers are larger than ${headerBytes} bytes`);
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return refusal(408, "the request did not come in time");
  if (code === "HPE_INVALID_METHOD") return refusal(405, "the request's method is none of HTTP");
  return refusal(400, "the request is no well-formed HTTP/1.1");
}

/** Which cluster a request target is for, and what of it goes there; every cluster has exactly one spelling. */
function routed(url: string, clusters: ReadonlyMap<string, GatewayParts>): { readonly prefix: string; readonly target: string } {
  const prefix = /^\/clusters\/[^/?]+/.exec(url)?.[0] ?? "";
  return clusters.has(prefix) ? { prefix, target: url.slice(prefix.length) } : { prefix: "", target: url };
}

function take(
  request: IncomingMessage,
  outlet: Outlet,
  reply: Reply,
  { clusters, hosts }: Pick<GatewayOptions, "clusters" | "hosts">,
): void {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) throw new Error("the gateway listens by TLS only");
  const { prefix, target } = routed(request.url ?? "", clusters);
  const parts = clusters.get(prefix);
  if (parts === undefined) {
    reply.refuse(refusal(404, "no cluster is at this path: run castellan kubeconfig"), "");
    return;
  }
  const call = new Call(request, socket, outlet, reply, target, parts.now());
  if (hosts !== undefined && !isForHost(call.fields, hosts)) {
    reply.refuse(refusal(421, "the gateway does not answer for that host name", { close: true }), "");
    return;
  }
  const attributes = { "castellan.audit_id": call.auditId, "castellan.cluster": parts.upstream.cluster };
  traced("castellan.gateway", request.headers, attributes, () => decide(call, parts)).then(
    (refused) => {
      if (refused === undefined) return;
      noteOutcome(call, parts, "refused", `${refused.status}: ${refused.message}`);
      reply.refuse(refused, call.auditId);
    },
    (error: unknown) => {
      parts.trouble(error);
      noteOutcome(call, parts, "refused", "500");
      reply.refuse(refusal(500, "the gateway failed; nothing more is known", { close: true }), call.auditId);
    },
  );
}
