import { buildNetwork } from "../../analysis/network/build.ts";
import { describeEndpoint } from "../../analysis/network/describe.ts";
import type { Flow } from "../../analysis/network/flows/flow.ts";
import { FlowLog } from "../../analysis/network/flows/flow-log.ts";
import { explainObserved } from "../../analysis/network/flows/replay.ts";
import { type Observed, Traffic } from "../../analysis/network/flows/traffic.ts";
import type { Explanation, Network } from "../../analysis/network/model.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Instant } from "../../core/host.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";

/** Connections between two endpoints on one port, and what the policies of the moment say about them. */
export interface FlowRow {
  readonly from: string;
  readonly to: string;
  readonly names: readonly string[];
  readonly protocol: string;
  readonly port: number | null;
  readonly flows: number;
  /** Of these, dropped by the network. */
  readonly dropped: number;
  /** Milliseconds since 1970; null where the log holds no times. */
  readonly last: Instant | null;
  /** `undecided`: policies do not speak about it, or an end is not known. */
  readonly verdict: "allowed" | "denied" | "undecided";
  /** The policies that decide, or what is missing. */
  readonly why: string;
  /** The network does something else than the policies say. */
  readonly differs: boolean;
}

export interface FlowPage {
  /** How many flows of the last time are kept. */
  readonly flows: number;
  readonly rows: readonly FlowRow[];
  /** Sides that no object stands for, most frequent first. */
  readonly unknown: readonly string[];
}

export interface LiveFlowsOptions {
  readonly catalogue: WorkloadCatalogue;
  readonly complete: boolean;
  readonly documents: () => Iterable<SourceDocument>;
  readonly now: () => Instant;
  readonly onChange: () => void;
}

/** Flows that are kept: the latest. */
const keptFlows = 50_000;
/** The network is read anew so long after the last time, at the earliest. */
const networkMilliseconds = 5000;
const shownRows = 500;
const shownUnknown = 10;

/** The latest flows of a cluster as a log or a collector tells them, beside what its policies say. */
export class LiveFlows {
  readonly #options: LiveFlowsOptions;
  readonly #flows: Flow[] = [];
  #oldest = 0;
  #network: { readonly network: Network; readonly at: Instant } | undefined;
  #page: FlowPage | undefined;

  constructor(options: LiveFlowsOptions) {
    this.#options = options;
  }

  /** Takes lines of a flow log; what cannot be read is told. */
  take(lines: Iterable<string>, source: string): readonly Diagnostic[] {
    const log = new FlowLog({ add: (flow) => this.#add(flow), addLookup: () => {} });
    log.begin(source);
    for (const line of lines) log.line(line);
    log.end();
    if (log.flows > 0) {
      this.#page = undefined;
      this.#options.onChange();
    }
    return log.diagnostics;
  }

  /** The cluster's objects have changed. */
  changed(): void {
    this.#page = undefined;
  }

  /** Denied ones first, then the most frequent. */
  page(): FlowPage {
    this.#page ??= this.#read();
    return this.#page;
  }

  /** A ring: the newest takes the place of the oldest. */
  #add(flow: Flow): void {
    if (this.#flows.length < keptFlows) {
      this.#flows.push(flow);
      return;
    }
    this.#flows[this.#oldest] = flow;
    this.#oldest = (this.#oldest + 1) % keptFlows;
  }

  #currentNetwork(): Network {
    const { catalogue, complete, documents, now } = this.#options;
    if (this.#network === undefined || now() - this.#network.at > networkMilliseconds) {
      this.#network = { network: buildNetwork([...documents()], { catalogue, complete }), at: now() };
    }
    return this.#network.network;
  }

  #read(): FlowPage {
    if (this.#flows.length === 0) return { flows: 0, rows: [], unknown: [] };
    const network = this.#currentNetwork();
    const traffic = new Traffic(network);
    for (const flow of this.#flows) traffic.add(flow);
    const rows = traffic.observed.map((observed) => rowOf(observed, explainObserved(network, observed)));
    rows.sort((a, b) => rank(a) - rank(b) || b.flows - a.flows);
    const unknown = [...traffic.unresolved].sort(([, a], [, b]) => b - a).slice(0, shownUnknown);
    return { flows: this.#flows.length, rows: rows.slice(0, shownRows), unknown: unknown.map(([name]) => name) };
  }
}

const rank = ({ differs, verdict }: FlowRow): number =>
  differs ? 0 : verdict === "denied" ? 1 : verdict === "undecided" ? 2 : 3;

function rowOf(observed: Observed, explanation: Explanation | undefined): FlowRow {
  const { from, to, names, protocol, port, count, dropped, last, days } = observed;
  const verdict = explanation === undefined ? "undecided" : explanation.allowed ? "allowed" : "denied";
  return {
    from: describeEndpoint(from),
    to: describeEndpoint(to),
    names: [...names],
    protocol,
    port: port ?? null,
    flows: count,
    dropped,
    last: days.size === 0 ? null : last,
    verdict,
    why: explanation === undefined ? "policies say nothing about it" : whyOf(explanation),
    differs: (verdict === "denied" && dropped < count) || (verdict === "allowed" && dropped > 0),
  };
}

/** Where it is denied only the sides that deny speak. */
function whyOf({ allowed, egress, ingress }: Explanation): string {
  return [egress, ingress]
    .filter((side) => allowed || !side.allowed)
    .map((side) => `${side.direction}: ${side.text}`)
    .join("; ");
}
