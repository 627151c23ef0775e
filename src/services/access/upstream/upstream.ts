import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";

/** Header fields as sent: name and value, repeated names allowed; values are latin-1, one character a byte. */
export type Fields = readonly (readonly [string, string])[];

/** A call as it goes to the API server; who the gateway itself is, the upstream adds. */
export interface UpstreamCall {
  readonly method: string;
  /** The request target: sent byte for byte. */
  readonly target: string;
  /** End-to-end fields and the identity; no `Host`, no hop-by-hop field. */
  readonly fields: Fields;
  readonly body: Readable | Buffer | undefined;
}

/** Told what the API server answers, as it comes. Exactly one of `end` and `fail` comes, and it comes last. */
export interface AnswerSink {
  head(status: number, fields: Fields, flow: AnswerFlow): void;
  /** False: no more until `flow.resume()`. */
  data(chunk: Buffer): boolean;
  end(): void;
  fail(error: Error): void;
}

export interface AnswerFlow {
  resume(): void;
}

export interface UpstreamExchange {
  /** Ends it; the sink hears nothing more. */
  abort(): void;
}

/** What the API server answered to an upgrade. */
export type UpgradeAnswer =
  | {
      readonly upgraded: true;
      readonly fields: Fields;
      readonly socket: TLSSocket;
      /** What came behind the head of the response. */
      readonly rest: Buffer;
    }
  | { readonly upgraded: false; readonly status: number; readonly fields: Fields; readonly body: Buffer };

/** The way to one cluster's API server: its address is fixed, and its redirects are nobody's. */
export interface Upstream {
  readonly cluster: string;
  /** A request that ends by itself: over a bounded number of kept connections. */
  send(call: UpstreamCall, sink: AnswerSink): UpstreamExchange;
  /** A request that stays open: over connections of their own, as many as it takes. */
  open(call: UpstreamCall, sink: AnswerSink): UpstreamExchange;
  /** Rejects where there is no answer, or none that can be understood. */
  upgrade(call: UpstreamCall, protocol: string, signal: AbortSignal): Promise<UpgradeAnswer>;
  /** Whether the API server answers at all; rejects where it does not. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
