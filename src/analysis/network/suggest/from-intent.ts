import { isDnsSubdomain } from "../../../core/label-selector.ts";
import { kindKey } from "../../../core/workload/catalogue.ts";
import type { ComponentCatalogue, ComponentPort, Entity, Talk } from "../catalogue/component.ts";
import { type ComponentMatch, needsHold } from "../catalogue/match-component.ts";
import { componentOf } from "../catalogue/workload-component.ts";
import type { Direction, Network, Workload } from "../model.ts";
import { type AllowPeer, type AllowPort, declaredPort, type PolicyPlan } from "./allow.ts";
import { dnsAllows } from "./dns.ts";
import { defaultDeny } from "./from-flows.ts";
import { type IntentStep, intentSteps, stepBetween } from "./intent-steps.ts";
import { mirrorPolicies } from "./mirror-policies.ts";
import { PlanDrafts } from "./plan-drafts.ts";

export interface Recognised {
  readonly workload: Workload;
  readonly match: ComponentMatch;
}

export interface IntentPlanStep {
  readonly step: IntentStep;
  readonly title: string;
  readonly about: string;
  /** Policies that this step makes or replaces. */
  readonly plans: readonly PolicyPlan[];
  /** All that stand when it is made. */
  readonly standing: readonly PolicyPlan[];
}

export interface IntentSuggestion {
  readonly steps: readonly IntentPlanStep[];
  /** What stands when all steps are made. */
  readonly plans: readonly PolicyPlan[];
  readonly namespaces: readonly string[];
  readonly recognised: readonly Recognised[];
  /** Workloads of these namespaces that the catalogue does not know: only existing policies and DNS are opened for them. */
  readonly unknown: readonly Workload[];
  readonly notes: readonly string[];
}

/** Kubernetes' own; isolated only where somebody names them. */
const systemNamespaces: ReadonlySet<string> = new Set(["kube-system", "kube-public", "kube-node-lease"]);

/**
 * Segmentation from what the parts of an AI platform are: default deny, then the ways that the catalogue knows, and those
 * that existing policies open to callers they name. `namespaces`: which are isolated; those with a known component unless told.
 */
export function suggestFromIntent(
  network: Network,
  catalogue: ComponentCatalogue,
  namespaces?: readonly string[],
): IntentSuggestion {
  const matches = new Map<Workload, ComponentMatch>();
  const running = network.workloads.filter((w) => !isTemplate(w, network));
  for (const workload of running) {
    const match = componentOf(workload, catalogue);
    if (match !== undefined) matches.set(workload, match);
  }
  // A template's placeholder is no namespace yet.
  const isOrdinary = (name: string) => !systemNamespaces.has(name) && isDnsSubdomain(name);
  const known = [...new Set([...matches.keys()].map((w) => w.namespace))].filter(isOrdinary);
  const scope = new Set(namespaces ?? known.sort());
  const builder = new IntentBuilder(network, catalogue, matches, scope);
  builder.basics();
  for (const [workload, match] of matches) builder.connect(workload, match);
  for (const note of mirrorPolicies(network, scope, builder.drafts)) builder.drafts.notes.add(note);
  const denials = [...scope].sort().map(defaultDeny);
  const steps = stepsOf(builder.drafts, denials);
  return {
    steps,
    plans: [...denials, ...builder.drafts.plans(intentSteps.map((s) => s.id)).all],
    namespaces: [...scope].sort(),
    recognised: [...matches].map(([workload, match]) => ({ workload, match })),
    unknown: running.filter((w) => scope.has(w.namespace) && !w.hostNetwork && !matches.has(w)),
    notes: [...builder.drafts.notes],
  };
}

/** A cluster-wide template runs nothing until somebody uses it, in a namespace of theirs. */
function isTemplate({ owner }: Workload, { options }: Network): boolean {
  return options.catalogue.clusterScoped.has(kindKey(owner.group, owner.kind));
}

function stepsOf(drafts: PlanDrafts, denials: readonly PolicyPlan[]): readonly IntentPlanStep[] {
  return intentSteps.flatMap(({ id, title, about }, i): readonly IntentPlanStep[] => {
    const done = intentSteps.slice(0, i + 1).map((s) => s.id);
    const { all, changed } = drafts.plans(done);
    const plans = id === "deny" ? denials : changed;
    return plans.length === 0 ? [] : [{ step: id, title, about, plans, standing: [...denials, ...all] }];
  });
}

class IntentBuilder {
  readonly drafts: PlanDrafts;
  readonly #network: Network;
  readonly #catalogue: ComponentCatalogue;
  readonly #matches: ReadonlyMap<Workload, ComponentMatch>;
  readonly #scope: ReadonlySet<string>;

  constructor(
    network: Network,
    catalogue: ComponentCatalogue,
    matches: ReadonlyMap<Workload, ComponentMatch>,
    scope: ReadonlySet<string>,
  ) {
    this.drafts = new PlanDrafts(network);
    this.#network = network;
    this.#catalogue = catalogue;
    this.#matches = matches;
    this.#scope = scope;
  }

  basics(): void {
    const { allows, notes } = dnsAllows(this.#network, this.#catalogue);
    for (const note of notes) this.drafts.notes.add(note);
    for (const namespace of this.#scope) for (const allow of allows) this.drafts.allowAll(namespace, allow, "basics");
  }

  /** Both what the component says of its callers, and what it says of whom it calls. */
  connect(workload: Workload, { component }: ComponentMatch): void {
    for (const talk of component.from) {
      const ports = this.#portsOf(workload, talk);
      this.#talk(workload, "ingress", talk, ports, (peer) => this.#join(peer, workload, ports, talk));
    }
    for (const talk of component.to) {
      this.#talk(workload, "egress", talk, this.#numbers(talk), (peer) => {
        // Of whom nobody says that they listen, nobody expects calls.
        if (this.#matches.get(peer)?.component.from.length === 0) return;
        this.#join(workload, peer, this.#numbers(talk) ?? this.#portsOf(peer, undefined), talk);
      });
    }
  }

  /** `join`: for every workload that the talk names; peers that are no workloads are written down as they are. */
  #talk(
    own: Workload,
    direction: Direction,
    talk: Talk,
    ports: readonly AllowPort[] | undefined,
    join: (peer: Workload) => void,
  ): void {
    const { peer } = talk;
    switch (peer.kind) {
      case "role":
      case "component": {
        const fits = (match: ComponentMatch) =>
          peer.kind === "role" ? peer.roles.includes(match.component.role) : peer.names.includes(match.component.name);
        for (const [other, match] of this.#matches) {
          const isNear = talk.scope === "cluster" || other.namespace === own.namespace;
          // One pod alone has nobody beside it.
          if (isNear && fits(match) && (other !== own || own.replicas !== 1)) join(other);
        }
        return;
      }
      case "same": {
        const value = own.labels[peer.label];
        if (value === undefined || !this.#scope.has(own.namespace)) return;
        const labels = { [peer.label]: value };
        const same = { kind: "pods", namespace: own.namespace, labels } as const;
        this.drafts.allow(own, { direction, peer: same, ports: undefined, why: `${peer.label}=${value}` }, "clusters");
        return;
      }
      case "labels": {
        const exact = peer.needs.flatMap(({ key, values }) => (values?.length === 1 ? [[key, values[0] ?? ""] as const] : []));
        if (exact.length < peer.needs.length) {
          for (const other of this.#network.workloads) if (needsHold(peer.needs, other.labels)) join(other);
          return;
        }
        if (!this.#scope.has(own.namespace)) return;
        const labels = Object.fromEntries(exact);
        const pods: AllowPeer =
          talk.scope === "cluster"
            ? { kind: "namespaces", namespaceLabels: {}, labels }
            : { kind: "pods", namespace: own.namespace, labels };
        this.drafts.allow(own, { direction, peer: pods, ports, why: "pods that carry the label" }, "platform");
        return;
      }
      case "namespaces":
        this.#namespaces(own, direction, talk, ports);
        return;
      case "entity":
        if (this.#scope.has(own.namespace)) this.#entity(own, direction, peer.entity, ports);
    }
  }

  /** All pods of namespaces with these labels; where such a namespace is isolated, too, its pods may call. */
  #namespaces(own: Workload, direction: Direction, { peer }: Talk, ports: readonly AllowPort[] | undefined): void {
    if (peer.kind !== "namespaces" || direction === "egress") return;
    // For everybody there is the rule for names.
    if (peer.needs.length === 0) return;
    const namespaceLabels = Object.fromEntries(peer.needs.map(({ key, values }) => [key, values?.[0] ?? ""]));
    const why = `namespaces with ${Object.keys(namespaceLabels).join(", ")}`;
    if (this.#scope.has(own.namespace)) {
      this.drafts.allow(own, { direction, peer: { kind: "namespaces", namespaceLabels, labels: {} }, ports, why }, "platform");
    }
    const target = this.drafts.selector(own);
    if (target === undefined) return;
    for (const [name, labels] of this.#network.namespaces) {
      if (!this.#scope.has(name) || !needsHold(peer.needs, labels)) continue;
      const to = { kind: "pods", namespace: own.namespace, labels: target } as const;
      this.drafts.allowAll(name, { direction: "egress", peer: to, ports, why: own.owner.name }, "platform");
    }
  }

  #entity(own: Workload, direction: Direction, entity: Entity, ports: readonly AllowPort[] | undefined): void {
    const allow = (peer: AllowPeer, why: string, step: IntentStep) =>
      this.drafts.allow(own, { direction, peer, ports, why }, step);
    switch (entity) {
      case "apiserver":
        allow({ kind: "apiserver", addresses: this.#network.apiServer.addresses }, "API server", "basics");
        return;
      case "world":
        allow({ kind: "world" }, "outside", direction === "ingress" ? "entrances" : "outside");
        return;
      case "node":
        allow({ kind: "node", addresses: this.#network.nodes.flatMap((n) => n.addresses) }, "nodes", "platform");
        return;
      case "model-hub":
      case "llm-provider":
        allow({ kind: "domains", names: this.#catalogue.domains.get(entity) ?? [], blocks: [] }, entity, "outside");
        return;
      case "dns":
        // Everybody has that.
        return;
    }
  }

  #join(from: Workload, to: Workload, ports: readonly AllowPort[] | undefined, talk: Talk): void {
    const [source, target] = [this.drafts.selector(from), this.drafts.selector(to)];
    if (source === undefined || target === undefined) return;
    const [a, b] = [this.#matches.get(from)?.component, this.#matches.get(to)?.component];
    const step = talk.peer.kind === "same" ? "clusters" : stepBetween(a?.role ?? "", b?.role ?? "");
    const why = `${a?.title ?? from.owner.name} to ${b?.title ?? to.owner.name}`;
    if (this.#scope.has(from.namespace)) {
      const peer = { kind: "pods", namespace: to.namespace, labels: target } as const;
      this.drafts.allow(from, { direction: "egress", peer, ports, why }, step);
    }
    if (this.#scope.has(to.namespace)) {
      const peer = { kind: "pods", namespace: from.namespace, labels: source } as const;
      this.drafts.allow(to, { direction: "ingress", peer, ports, why }, step);
    }
  }

  #numbers({ ports }: Talk): readonly AllowPort[] | undefined {
    return ports?.flatMap((port) => (typeof port === "number" ? [{ protocol: "TCP", from: port, to: port } as const] : []));
  }

  /** Where a component listens, narrowed to what the workload declares; where it declares other ports only, those. */
  #portsOf(listener: Workload, talk: Talk | undefined): readonly AllowPort[] | undefined {
    const component = this.#matches.get(listener)?.component;
    const listed = component?.ports ?? [];
    const wanted = talk?.ports === undefined ? listed : talk.ports.flatMap((port) => pick(port, listed));
    const declared = listener.ports.flatMap((own) => {
      const port = declaredPort(own);
      return port === undefined ? [] : [{ port, label: own.name }];
    });
    const names = new Set(wanted.map((p) => p.name));
    const both = declared.filter(
      ({ port, label }) =>
        names.has(label) || wanted.some((p) => p.protocol === port.protocol && p.port <= port.from && port.to <= p.endPort),
    );
    const chosen = both.length > 0 ? both : talk?.ports === undefined && declared.length > 0 ? declared : undefined;
    if (chosen !== undefined) return chosen.map(({ port }) => port);
    if (wanted.length === 0) return undefined;
    return wanted.map(({ protocol, port, endPort }) => ({ protocol, from: port, to: endPort }));
  }
}

function pick(port: number | string, listed: readonly ComponentPort[]): readonly ComponentPort[] {
  if (typeof port === "string") return listed.filter((p) => p.name === port);
  return [{ port, endPort: port, protocol: "TCP", name: "" }];
}
