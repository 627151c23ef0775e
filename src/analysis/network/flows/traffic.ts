import type { Endpoint, Network, Workload } from "../model.ts";
import type { Flow, NameLookup } from "./flow.ts";
import type { FlowSink } from "./flow-log.ts";
import { FlowResolver, type ResolvedEnd } from "./flow-resolver.ts";
import { targetPort } from "./service-index.ts";

/** All flows between two endpoints on one port. */
export interface Observed {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Upper case. */
  readonly protocol: string;
  /** Undefined: the log held none. */
  readonly port: number | undefined;
  /** DNS names of a destination outside. */
  readonly names: ReadonlySet<string>;
  count: number;
  /** Flows that were dropped, or would have been. */
  dropped: number;
  /** Flows of which nobody knows who began. */
  assumed: number;
  /** Where the log holds times: milliseconds since 1970; else the number of the record. */
  first: number;
  last: number;
  /** Days since 1970 on which there were flows; empty where the log holds no times. */
  readonly days: ReadonlySet<number>;
}

interface MutableObserved extends Observed {
  readonly names: Set<string>;
  readonly days: Set<number>;
}

/** A name that a workload looked up. */
export interface ObservedLookup {
  readonly client: Workload;
  readonly name: string;
  count: number;
}

const day = 86_400_000;
const protocolNumbers: readonly string[] = ["TCP", "UDP", "SCTP", "ICMP"];

/** Flows folded to endpoints: what is kept grows with who talks to whom, not with how often. */
export class Traffic implements FlowSink {
  readonly resolver: FlowResolver;
  readonly #numbers = new Map<ResolvedEnd, number>();
  readonly #observed = new Map<number, readonly MutableObserved[]>();
  readonly #byPair = new Map<string, MutableObserved>();
  readonly #endpoints = new Map<Endpoint | string, number>();
  readonly #lookups = new Map<string, ObservedLookup>();
  readonly #unresolved = new Map<string, number>();
  #flows = 0;

  constructor(network: Network) {
    this.resolver = new FlowResolver(network);
  }

  /** How many flows were added. */
  get flows(): number {
    return this.#flows;
  }

  get observed(): readonly Observed[] {
    return [...this.#byPair.values()];
  }

  get lookups(): readonly ObservedLookup[] {
    return [...this.#lookups.values()];
  }

  /** Sides that no object stands for, with the number of their flows: pods that are gone, or not loaded. */
  get unresolved(): ReadonlyMap<string, number> {
    return this.#unresolved;
  }

  add(flow: Flow): void {
    this.#flows++;
    const from = this.resolver.resolve(flow.from);
    const to = this.resolver.resolve(flow.to);
    const protocol = protocolNumbers.indexOf(flow.protocol);
    const port = flow.port ?? 0;
    // One number for (from, to, protocol, port): 17 bits a side, 2 for the protocol, 17 for the port.
    const pair = this.#number(from) * 131_072 + this.#number(to);
    const key = (pair * 4 + Math.max(protocol, 0)) * 131_072 + port;
    let entries = protocol < 0 ? undefined : this.#observed.get(key);
    if (entries === undefined) {
      entries = this.#entries(from, to, flow);
      if (protocol >= 0) this.#observed.set(key, entries);
    }
    for (const entry of entries) count(entry, flow, this.#flows);
  }

  addLookup({ client, name }: NameLookup): void {
    const workload = this.resolver.resolve(client).endpoints[0];
    if (workload?.kind !== "workload") return;
    const key = `${workload.id} ${name}`;
    const known = this.#lookups.get(key);
    if (known === undefined) this.#lookups.set(key, { client: workload, name, count: 1 });
    else known.count++;
  }

  #number(end: ResolvedEnd): number {
    const known = this.#numbers.get(end);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(end, number);
    return number;
  }

  #entries(from: ResolvedEnd, to: ResolvedEnd, flow: Flow): readonly MutableObserved[] {
    for (const end of [from, to]) {
      if (end.endpoints.length === 0) this.#unresolved.set(end.text, (this.#unresolved.get(end.text) ?? 0) + 1);
    }
    return from.endpoints.flatMap((source) =>
      to.endpoints
        .filter((target) => target !== source)
        .map((target) => this.#entry(source, target, this.#port(to, target, flow), to.names, flow)),
    );
  }

  #port({ service }: ResolvedEnd, target: Endpoint, { protocol, port }: Flow): number | undefined {
    if (service === undefined || port === undefined || target.kind !== "workload") return port;
    return targetPort(service, target, protocol, port);
  }

  #entry(from: Endpoint, to: Endpoint, port: number | undefined, names: readonly string[], flow: Flow): MutableObserved {
    const key = `${this.#endpointNumber(from)} ${this.#endpointNumber(to)} ${flow.protocol} ${port ?? "?"}`;
    let entry = this.#byPair.get(key);
    if (entry === undefined) {
      const [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const counts = { count: 0, dropped: 0, assumed: 0, first, last, days: new Set<number>() };
      entry = { from, to, protocol: flow.protocol, port, names: new Set(), ...counts };
      this.#byPair.set(key, entry);
    }
    for (const name of names) entry.names.add(name);
    return entry;
  }

  /** Two external endpoints of the same addresses are the same. */
  #endpointNumber(endpoint: Endpoint): number {
    const key = endpoint.kind === "external" ? endpoint.addresses.toString() : endpoint;
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    this.#endpoints.set(key, this.#endpoints.size);
    return this.#endpoints.size - 1;
  }
}

function count(entry: MutableObserved, flow: Flow, order: number): void {
  entry.count += flow.count;
  if (flow.verdict === "dropped" || flow.verdict === "audited") entry.dropped += flow.count;
  if (flow.direction === "assumed") entry.assumed += flow.count;
  const at = flow.at ?? order;
  if (at < entry.first) entry.first = at;
  if (at > entry.last) entry.last = at;
  if (flow.at !== undefined) entry.days.add(Math.floor(flow.at / day));
}
