import type { Labels } from "../../../core/label-selector.ts";

/** Peers that a log names by what they are. */
export type FlowEntity = "world" | "node" | "apiserver" | "health" | "other";

/** One side of a flow, as far as the log knows it. Readers give the same object for the same side. */
export interface FlowEnd {
  /** Empty where the log holds none. */
  readonly ip: string;
  readonly namespace: string;
  /** Name of the pod. */
  readonly pod: string;
  /** Name of what owns the pod, or the pod's name with `*` for the part that replicas differ in. */
  readonly workload: string;
  /** Undefined where the log holds none. */
  readonly labels: Labels | undefined;
  /** DNS names behind the address. */
  readonly names: readonly string[];
  /** The Service that was called. */
  readonly service: { readonly namespace: string; readonly name: string } | undefined;
  readonly entity: FlowEntity | undefined;
}

/** `audited`: a policy would have denied it, but was not enforced. */
export type FlowVerdict = "forwarded" | "dropped" | "audited" | "unknown";

/** A connection, from the side that opened it. */
export interface Flow {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  /** Upper case: TCP, UDP, SCTP, ICMP, ... */
  readonly protocol: string;
  /** Where the called side listens, after translation of addresses; undefined where the log does not tell. */
  readonly port: number | undefined;
  readonly verdict: FlowVerdict;
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  /** How many connections the record stands for. */
  readonly count: number;
  /** `assumed`: the log does not say who opened the connection. */
  readonly direction: "recorded" | "assumed";
}

/** A client asked for a name. */
export interface NameLookup {
  readonly client: FlowEnd;
  /** Lower case, without the final dot. */
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
  readonly at: number | undefined;
}

/** What one line of a log is. `skipped` lines are as they should be and say nothing about who opens connections. */
export type FlowLine =
  | { readonly kind: "flow"; readonly flow: Flow }
  | { readonly kind: "lookup"; readonly lookup: NameLookup }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "bad"; readonly message: string };

const noEnd: FlowEnd = {
  ip: "",
  namespace: "",
  pod: "",
  workload: "",
  labels: undefined,
  names: [],
  service: undefined,
  entity: undefined,
};

export const skipped = (reason: string): FlowLine => ({ kind: "skipped", reason });
export const bad = (message: string): FlowLine => ({ kind: "bad", message });

/** Hands out one object for one side, so that what is found out about a side is found out once. */
export class FlowEnds {
  readonly #known = new Map<string, FlowEnd>();

  /** `make` runs at the first sight of `key`. */
  of(key: string, make: () => Partial<FlowEnd>): FlowEnd {
    let end = this.#known.get(key);
    if (end === undefined) {
      end = { ...noEnd, ...make() };
      this.#known.set(key, end);
    }
    return end;
  }

  ofAddress(ip: string): FlowEnd {
    return this.of(ip, () => ({ ip }));
  }
}
