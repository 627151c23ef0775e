import type { Socket } from "node:net";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { TlsIdentity } from "../tls-identity.ts";

/** Why a call was not answered. */
export type CallRefusal = "key" | "certificate" | "connections";

/** Which callers are API servers that we registered with. */
export interface ReviewCallers {
  /** The path without the key that only they know; undefined: it is missing or wrong. */
  readonly open: (path: string) => string | undefined;
  /** They must show a client certificate, too; undefined: none is asked for. */
  readonly certificates?: ClientCertificates | undefined;
  readonly onRefused: (why: CallRefusal, address: string) => void;
  /** Connections of one address that have not sent anything we know. */
  readonly strangers?: number;
}

export interface ClientCertificates {
  /** PEM of those that sign them at the moment. */
  readonly authorities: () => string;
  /** Their common names; empty: all that an authority signed. */
  readonly names: ReadonlySet<string>;
}

/** An API server opens many connections at once, and proves each with its first request; who proves none gets no more than this. */
const usualStrangers = 512;

/** Tells API servers from everybody else who reaches the listener. */
export class Callers {
  readonly #options: ReviewCallers;
  readonly #certified = new WeakSet<Socket>();
  readonly #proved = new WeakSet<Socket>();
  /** Addresses of the connections that have proved nothing yet, by their ports: TLS is another socket than the one below it. */
  readonly #unproved = new Map<string, string>();
  readonly #perAddress = new Map<string, number>();
  /** TLS handshakes and requests that are slow on purpose end early. */
  readonly limits = {
    handshakeTimeout: 10_000,
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5000,
  } as const;

  constructor(options: ReviewCallers) {
    this.#options = options;
  }

  /** For the listener: certificates are looked at by request, as those who send batches have a token instead. */
  tls({ certificate, key }: TlsIdentity): SecureContextOptions & { requestCert?: boolean; rejectUnauthorized?: boolean } {
    const { certificates } = this.#options;
    if (certificates === undefined) return { cert: certificate, key };
    return { cert: certificate, key, ca: certificates.authorities(), requestCert: true, rejectUnauthorized: false };
  }

  /** Call for each new connection; one too many of strangers is ended. */
  connected(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    if (count > (this.#options.strangers ?? usualStrangers)) {
      this.#options.onRefused("connections", address);
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count);
    const end = endOf(socket);
    this.#unproved.set(end, address);
    socket.once("close", () => this.#forget(end));
  }

  /** Call after each handshake. */
  secured(socket: TLSSocket): void {
    const { certificates } = this.#options;
    if (certificates === undefined || !socket.authorized) return;
    const name = socket.getPeerCertificate().subject?.CN;
    const names = [name ?? []].flat();
    if (certificates.names.size === 0 || names.some((one) => certificates.names.has(one))) this.#certified.add(socket);
  }

  /** Whether a trusted client certificate was shown. */
  isCertified(socket: Socket): boolean {
    return this.#certified.has(socket);
  }

  /** The path that is asked for, or why it is not answered. */
  admit(path: string, socket: Socket): string | { readonly status: number; readonly message: string } {
    const { certificates, open, onRefused } = this.#options;
    const refused = (why: CallRefusal, status: number, message: string) => {
      onRefused(why, socket.remoteAddress ?? "");
      return { status, message };
    };
    if (certificates !== undefined && !this.isCertified(socket))
      return refused("certificate", 401, "a client certificate is needed that this server trusts");
    const opened = open(path);
    // An API server may be told of its key a moment later than we are.
    return opened ?? refused("key", 404, "there is no such webhook");
  }

  /** A request of the connection was from somebody we know. */
  prove(socket: Socket): void {
    if (this.#proved.has(socket)) return;
    this.#proved.add(socket);
    this.#forget(endOf(socket));
  }

  #forget(end: string): void {
    const address = this.#unproved.get(end);
    if (address === undefined) return;
    this.#unproved.delete(end);
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }
}

const endOf = ({ remoteAddress = "", remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;
