import type { Instant } from "../core/host.ts";

/** One call of the Kubernetes API, as classified from its raw request line. */
export interface RequestedAction {
  readonly cluster: string;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  /** Decoded path. */
  readonly path: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty: the whole collection, or a name that the server generates. */
  readonly name: string;
  readonly dryRun: boolean;
  /** What was sent, for the digest: exact, never parsed and written again. */
  readonly http: {
    readonly method: string;
    readonly target: string;
    readonly contentType: string;
    readonly contentEncoding: string;
    /** Hex SHA-256 of the raw body; of nothing for an empty one. */
    readonly bodyDigest: string;
  };
  /** The object it is about as it was, where it exists. */
  readonly pinned?: { readonly uid: string; readonly digest: string } | undefined;
  /** Labels of the target's namespace, where known. */
  readonly namespaceLabels?: { readonly [key: string]: string } | undefined;
  readonly at: Instant;
}
