import { isArray, member } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Direction, Network, Workload } from "../model.ts";
import { type Allow, allowKey, type PolicyPlan, peerKey, policyName } from "./allow.ts";
import type { IntentStep } from "./intent-steps.ts";
import { selectorPicker } from "./pod-selector.ts";

interface Draft {
  readonly name: string;
  readonly namespace: string;
  readonly subject: Labels;
  /** By their key, with the step that brings them in. */
  readonly allows: Map<string, { readonly allow: Allow; readonly step: IntentStep }>;
}

/** Collects allows by the selector of the pods that they are for: one plan a selector. */
export class PlanDrafts {
  readonly notes = new Set<string>();
  readonly #network: Network;
  readonly #pick: ReturnType<typeof selectorPicker>;
  readonly #byNamespace: ReadonlyMap<string, readonly Workload[]>;
  readonly #drafts = new Map<string, Draft>();
  readonly #selectors = new Map<Workload, Labels | undefined>();
  readonly #twins = new Map<Workload, readonly Workload[]>();
  readonly #settled = new Map<string, boolean>();
  readonly #names = new Set<string>();

  constructor(network: Network) {
    this.#network = network;
    this.#pick = selectorPicker(network);
    this.#byNamespace = Map.groupBy(network.workloads, (w) => w.namespace);
  }

  /** Labels that select the workload; undefined where none do, which becomes a note. */
  selector(workload: Workload): Labels | undefined {
    if (this.#selectors.has(workload)) return this.#selectors.get(workload);
    const picked = workload.hostNetwork ? undefined : this.#pick(workload);
    if (workload.hostNetwork) this.notes.add(`${workload.id} shares its node's address: policies neither hold nor protect it.`);
    else if (picked === undefined) this.notes.add(`${workload.id} carries no lasting label: no policy can select it alone.`);
    else if (picked.also.length > 0) {
      this.notes.add(`No label tells ${workload.id} from ${picked.also.map((w) => w.id).join(", ")}: they share one policy.`);
    }
    this.#selectors.set(workload, picked?.labels);
    this.#twins.set(workload, picked?.also ?? []);
    return picked?.labels;
  }

  /**
   * A direction in which existing policies already let something through stays as they say: a proposal never opens more than
   * is open. A bare default deny says nothing yet.
   */
  allow(workload: Workload, allow: Allow, step: IntentStep): void {
    if (this.#isSettled(workload, allow.direction)) return;
    const subject = this.selector(workload);
    if (subject === undefined) return;
    const twin = this.#twins.get(workload)?.find((other) => this.#isSettled(other, allow.direction));
    if (twin !== undefined) {
      this.notes.add(
        `${workload.id} stays closed for ${allow.direction}: what opens it would open ${twin.id}, too, which policies hold.`,
      );
      return;
    }
    this.#add(workload.namespace, subject, policyName(workload.owner.name, workload.role), allow, step);
  }

  /** For all pods of a namespace; one by one where some of them are settled. */
  allowAll(namespace: string, allow: Allow, step: IntentStep): void {
    const here = (this.#byNamespace.get(namespace) ?? []).filter((w) => !w.hostNetwork);
    if (here.some((w) => this.#isSettled(w, allow.direction))) {
      for (const workload of here) this.allow(workload, allow, step);
      return;
    }
    this.#add(namespace, {}, "all-pods", allow, step);
  }

  #isSettled(workload: Workload, direction: Direction): boolean {
    const key = `${direction} ${workload.id}`;
    const known = this.#settled.get(key);
    if (known !== undefined) return known;
    const settled = this.#network.selecting(workload, direction).some((policy) => {
      const rules = member(policy.document.value["spec"], direction);
      return policy.active && isArray(rules) && rules.length > 0;
    });
    this.#settled.set(key, settled);
    return settled;
  }

  #add(namespace: string, subject: Labels, wanted: string, allow: Allow, step: IntentStep): void {
    const key = peerKey({ kind: "pods", namespace, labels: subject });
    let draft = this.#drafts.get(key);
    if (draft === undefined) {
      let name = `allow-${wanted}`;
      for (let i = 2; this.#names.has(`${namespace}/${name}`); i++) name = `allow-${wanted}-${i}`;
      this.#names.add(`${namespace}/${name}`);
      draft = { name, namespace, subject, allows: new Map() };
      this.#drafts.set(key, draft);
    }
    const id = allowKey(allow);
    if (!draft.allows.has(id)) draft.allows.set(id, { allow, step });
  }

  /** The plans as they are when the steps of `done` are made; `changed`: only those that the last of them changes. */
  plans(done: readonly IntentStep[]): { readonly all: readonly PolicyPlan[]; readonly changed: readonly PolicyPlan[] } {
    const last = done.at(-1);
    const all: PolicyPlan[] = [];
    const changed: PolicyPlan[] = [];
    for (const { allows, name, namespace, subject } of this.#drafts.values()) {
      const made = [...allows.values()].filter(({ step }) => done.includes(step));
      if (made.length === 0) continue;
      const directions = new Set(made.map(({ allow }) => allow.direction));
      const isolates = (["ingress", "egress"] as const).filter((d) => directions.has(d));
      const plan = { name, namespace, subject, isolates, allows: made.map(({ allow }) => allow) };
      all.push(plan);
      if (made.some(({ step }) => step === last)) changed.push(plan);
    }
    const order = (a: PolicyPlan, b: PolicyPlan) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1);
    return { all: all.sort(order), changed: changed.sort(order) };
  }
}
