import { setTimeout as delay } from "node:timers/promises";
import type { ObjectChange } from "../../adapters/kubernetes/informer.ts";
import type { Action } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Host } from "../../core/host.ts";
import { asString, member } from "../../core/json.ts";
import { formatRef, gvkOf, type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import { PolicySet, policyName } from "../../engine/index.ts";
import { originOf } from "../../policies/kyverno/generate/generated-labels.ts";
import type { CompiledPolicy, CompiledRule, DownstreamTerms } from "../../policies/policy.ts";
import type { FactSource } from "../admission/facts.ts";
import type { LivePolicies, PolicyRevision } from "../live/live-policies.ts";
import { Dependencies } from "./dependencies.ts";
import type { DownstreamWriter } from "./downstream-writer.ts";
import { effectsOf, notWritten, uidOf } from "./effects.ts";
import type { RuleJudge } from "./judge.ts";
import { WorkQueue } from "./work-queue.ts";

export interface DownstreamsOptions {
  readonly cluster: string;
  readonly writer: DownstreamWriter;
  readonly judge: RuleJudge;
  readonly policies: LivePolicies;
  readonly resources: () => ApiResources;
  readonly namespaceLabels: (namespace: string) => Labels | undefined;
  /** Everything that the cluster holds. */
  readonly objects: () => Iterable<KubernetesObject>;
  readonly host: Host;
  /** Of several replicas one keeps what was made. */
  readonly leads: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/** A rule that makes or changes other objects, of a policy that is in force. */
interface KeptRule {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
  readonly terms: DownstreamTerms;
  /** Of the rule alone. */
  readonly set: PolicySet;
  /** Changes with the policy's text. */
  readonly text: string;
}

/** So long after it was made. */
const newMilliseconds = 30_000;
/** A policy that is deleted is looked for once more, later than caches and other replicas lag. */
const certaintyMilliseconds = 1000;

/**
 * Keeps what policies generate: as the rule makes it, for as long as its trigger asks for it. All that has to be known is in the labels
 * of the objects themselves, so that a restart, or another replica, goes on. What cannot be judged is left as it is.
 */
export class Downstreams {
  readonly #options: DownstreamsOptions;
  readonly #queue: WorkQueue;
  readonly #dependencies: Dependencies;
  /** Objects that were generated, by reference. */
  readonly #made = new Map<string, KubernetesObject>();
  /** Everything, by UID: triggers are named so. */
  readonly #byUid = new Map<string, KubernetesObject>();
  #rules = new Map<string, KeptRule>();
  #started = false;

  constructor(options: DownstreamsOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.onTrouble);
    this.#dependencies = new Dependencies((group, kind) => options.resources().byKind(group, kind)?.resource);
    options.policies.onRevision((revision) => this.#revise(revision));
  }

  /** Call once everything that the cluster holds is known, and again when we begin to lead. */
  start(): void {
    this.#started = true;
    for (const object of this.#options.objects()) this.#remember({ type: "set", object });
    this.#rules = rulesOf(this.#options.policies.current);
    for (const kept of this.#rules.values()) this.#lookAt(kept);
  }

  /** Takes what has changed in the cluster. */
  take(changes: readonly ObjectChange[]): void {
    if (!this.#started) return;
    for (const change of changes) {
      this.#remember(change);
      if (this.#rules.size > 0 && this.#options.leads()) this.#follow(change);
    }
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #remember({ type, object }: ObjectChange): void {
    const uid = uidOf(object);
    const ref = formatRef(resourceRef(object));
    if (type === "deleted") {
      this.#byUid.delete(uid);
      this.#made.delete(ref);
    } else {
      this.#byUid.set(uid, object);
      if (originOf(object) === undefined) this.#made.delete(ref);
      else this.#made.set(ref, object);
    }
  }

  #follow({ type, object }: ObjectChange): void {
    const uid = uidOf(object);
    const origin = originOf(object);
    if (origin !== undefined) this.#keep(this.#keptBy(object), origin.triggerUid);
    for (const { key, trigger } of this.#dependencies.of(object)) this.#keep(this.#rules.get(key), trigger);
    if (type === "set") {
      for (const kept of this.#rulesMadeFor(uid)) this.#keep(kept, uid);
      // At admission it was not there yet: a rule that looks for what it finds runs once more.
      if (this.#isNew(object)) for (const kept of this.#rules.values()) if (isTrigger(kept, object)) this.#keep(kept, uid);
    } else {
      this.#dependencies.forgetTrigger(uid);
      this.#removeAll((made) => isMadeFor(made, uid));
    }
  }

  #isNew(object: KubernetesObject): boolean {
    const created = Date.parse(asString(member(object.metadata, "creationTimestamp")) ?? "");
    return this.#options.host.now() - created < newMilliseconds;
  }

  #keep(kept: KeptRule | undefined, trigger: string): void {
    if (kept?.terms.synchronize === true) this.#renew(kept, trigger, ({ synchronize }) => synchronize);
  }

  /** The rules that generated something for this trigger. */
  #rulesMadeFor(uid: string): ReadonlySet<KeptRule> {
    const found = new Set<KeptRule>();
    for (const made of this.#made.values()) {
      const kept = originOf(made)?.triggerUid === uid ? this.#keptBy(made) : undefined;
      if (kept !== undefined) found.add(kept);
    }
    return found;
  }

  /** The rule that keeps an object; undefined where it is kept by none. */
  #keptBy(made: KubernetesObject): KeptRule | undefined {
    const origin = originOf(made);
    if (origin === undefined) return undefined;
    for (const kept of this.#rules.values()) {
      const { id } = kept.policy;
      if (id.name === origin.policy && id.namespace === origin.policyNamespace && kept.rule.name === origin.rule) return kept;
    }
    return undefined;
  }

  /** Removes those of the objects whose rule keeps them. */
  #removeAll(which: (made: KubernetesObject) => boolean): void {
    for (const made of [...this.#made.values()].filter(which)) {
      if (this.#keptBy(made)?.terms.synchronize === true) this.#remove(made);
    }
  }

  #remove(made: KubernetesObject): void {
    this.#queue.add(`remove ${formatRef(resourceRef(made))}`, () => this.#options.writer.remove(made));
  }

  /** Policies have changed. */
  #revise(revision: PolicyRevision): void {
    if (!this.#started) return;
    const before = this.#rules;
    this.#rules = rulesOf(revision);
    if (!this.#options.leads()) return;
    for (const [key, kept] of this.#rules) if (before.get(key)?.text !== kept.text) this.#lookAt(kept);
    const gone = [...before].filter(([key]) => !this.#rules.has(key)).map(([, kept]) => kept);
    for (const kept of gone) this.#retire(kept);
  }

  /** The rule is new, or another one. */
  #lookAt(kept: KeptRule): void {
    if (!this.#options.leads()) return;
    for (const made of this.#made.values()) {
      const origin = originOf(made);
      if (origin !== undefined && this.#keptBy(made) === kept) this.#keep(kept, origin.triggerUid);
    }
    if (!kept.terms.existing) return;
    for (const object of this.#byUid.values()) {
      if (isTrigger(kept, object)) this.#renew(kept, uidOf(object), ({ existing }) => existing);
    }
  }

  /** The rule is gone: so is what it made, unless that was to stay, or nobody can say for certain that the rule is gone. */
  #retire({ policy, rule, terms }: KeptRule): void {
    this.#dependencies.forget(keyOf(policy, rule));
    if (!terms.synchronize || terms.orphan) return;
    const { group, kind, namespace, name } = policy.id;
    this.#queue.add(`retire ${policyName(policy.id)}/${rule.name}`, async () => {
      await delay(certaintyMilliseconds);
      const isBack = this.#rules.has(keyOf(policy, rule));
      const others = [...this.#rules.values()].some((kept) => policyName(kept.policy.id) === policyName(policy.id));
      if (isBack || !(others || (await this.#options.writer.isGone(group, kind, namespace, name)))) return;
      for (const made of this.#made.values()) {
        const origin = originOf(made);
        const isIts = origin?.policy === name && origin.policyNamespace === namespace && origin.rule === rule.name;
        if (isIts) this.#remove(made);
      }
    });
  }

  /** Runs a rule for its trigger once more, if it still wants that by then. */
  #renew(kept: KeptRule, uid: string, wants: (terms: DownstreamTerms) => boolean): void {
    const key = keyOf(kept.policy, kept.rule);
    this.#queue.add(`${key} ${uid}`, async () => {
      const trigger = this.#byUid.get(uid);
      const current = this.#rules.get(key);
      if (trigger !== undefined && current !== undefined && wants(current.terms)) await this.#run(current, trigger);
    });
  }

  async #run({ policy, rule, terms }: KeptRule, trigger: KubernetesObject): Promise<void> {
    if (terms.runsOnce) return;
    const { writer } = this.#options;
    const action = this.#actionOf(rule, trigger);
    if (action === undefined) return;
    const watching = (source: FactSource) => this.#dependencies.watching(keyOf(policy, rule), uidOf(trigger), source);
    const decision = await this.#options.judge.judge({ policy, rule }, action, watching);
    // Whatever cannot be judged, or was excepted, changes nothing.
    if (decision.results.some(({ result }) => result.status === "error" || result.exceptions !== undefined)) return;
    const { generated = [], targets = [] } = effectsOf(decision, action) ?? {};
    for (const { object } of generated) await writer.bring(object, terms).catch(rethrowAs(object));
    for (const { object } of targets) await writer.mutate(object).catch(rethrowAs(object));
    const wanted = new Set(generated.map(({ object }) => formatRef(resourceRef(object))));
    const isStale = (made: KubernetesObject) =>
      this.#keptBy(made)?.rule === rule &&
      originOf(made)?.triggerUid === uidOf(trigger) &&
      !wanted.has(formatRef(resourceRef(made)));
    this.#removeAll(isStale);
  }

  /** The trigger as if it was admitted now; undefined where the rule looks at no such request. */
  #actionOf(rule: CompiledRule, trigger: KubernetesObject): Action | undefined {
    const { resources, namespaceLabels, host, cluster } = this.#options;
    const operation = operationOf(rule);
    if (operation === undefined) return undefined;
    const gvk = gvkOf(trigger);
    const namespace = namespaceOf(trigger);
    return {
      channel: "scan",
      cluster,
      actor: undefined,
      operation,
      dryRun: false,
      target: {
        type: "kubernetes",
        ...gvk,
        resource: resources().byKind(gvk.group, gvk.kind)?.resource ?? "",
        subresource: "",
        namespace,
        name: nameOf(trigger),
      },
      object: trigger,
      ...(operation === "UPDATE" ? { oldObject: trigger } : {}),
      namespaceLabels: namespaceLabels(namespace),
      at: host.now(),
    };
  }
}

/** Whether an object may be a trigger of a rule; what was generated leads to nothing more. */
function isTrigger({ set, rule, terms }: KeptRule, object: KubernetesObject): boolean {
  const operation = operationOf(rule);
  if (operation === undefined || (terms.skipsOwnWrites && originOf(object) !== undefined)) return false;
  return set.concerns({ ...gvkOf(object), subresource: "", operation }, [rule.kind]);
}

const keyOf = (policy: CompiledPolicy, rule: CompiledRule): string => `${policyName(policy.id)}/${rule.name}`;

function rulesOf({ policies }: PolicyRevision): Map<string, KeptRule> {
  const found = new Map<string, KeptRule>();
  for (const policy of policies) {
    for (const rule of policy.rules) {
      const terms = rule.downstream;
      if (terms === undefined) continue;
      const set = new PolicySet([{ ...policy, rules: [rule] }]);
      found.set(keyOf(policy, rule), { policy, rule, terms, set, text: JSON.stringify(member(policy.origin.value, "spec")) });
    }
  }
  return found;
}

/** By the objects that they were made for, or of. */
function isMadeFor(made: KubernetesObject, uid: string): boolean {
  const origin = originOf(made);
  return origin !== undefined && uid !== "" && (origin.triggerUid === uid || origin.sourceUid === uid);
}

/** Whose deletion a rule waits for is gone. */
function operationOf({ operations }: CompiledRule): "CREATE" | "UPDATE" | undefined {
  if (operations === undefined || operations.has("CREATE")) return "CREATE";
  return operations.has("UPDATE") ? "UPDATE" : undefined;
}

const rethrowAs = (object: KubernetesObject) => (error: unknown) => {
  throw notWritten(object, error);
};
