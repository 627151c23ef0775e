import { setTimeout as delay } from "node:timers/promises";
import type { ObjectChange } from "../../adapters/kubernetes/informer.ts";
import { member } from "../../core/json.ts";
import { createdOf, groupOf, gvkOf, type KubernetesObject, uidOf } from "../../core/kubernetes.ts";
import { PolicySet, policyName } from "../../engine/index.ts";
import { originOf } from "../../policies/kyverno/generate/generated-labels.ts";
import type { CompiledPolicy, CompiledRule, DownstreamTerms } from "../../policies/policy.ts";
import type { PolicyRevision } from "../live/live-policies.ts";
import { type ActedCluster, actionOn } from "./acted-cluster.ts";
import { Dependencies } from "./dependencies.ts";
import { effectsOf, notWritten, type Wanted } from "./effects.ts";
import { type Made, MadeObjects, markOf, refOf } from "./made-objects.ts";
import { WorkQueue } from "./work-queue.ts";

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
  readonly #options: ActedCluster;
  readonly #queue: WorkQueue;
  readonly #dependencies: Dependencies;
  #made = new MadeObjects();
  /** Everything, by UID: triggers are named so. Empty while no rule makes anything. */
  readonly #byUid = new Map<string, KubernetesObject>();
  #rules = new Map<string, KeptRule>();
  #started = false;
  #led = false;

  constructor(options: ActedCluster) {
    this.#options = options;
    this.#queue = new WorkQueue(options.onTrouble);
    this.#dependencies = new Dependencies((group, kind) => options.resources().byKind(group, kind)?.resource);
    options.policies.onRevision((revision) => this.#revise(revision));
  }

  /** Call once everything that the cluster holds is known. */
  start(): void {
    this.#started = true;
    this.#revise(this.#options.policies.current);
  }

  /** Takes what has changed in the cluster. */
  take(changes: readonly ObjectChange[]): void {
    if (!this.#started || this.#rules.size === 0) return;
    for (const change of changes) this.#remember(change);
    const led = this.#led;
    this.#led = this.#options.leads();
    if (!this.#led) return;
    if (led) for (const change of changes) this.#follow(change);
    else for (const kept of this.#rules.values()) this.#lookAt(kept);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #rememberAll(): void {
    this.#made = new MadeObjects();
    this.#byUid.clear();
    for (const object of this.#options.objects()) this.#remember({ type: "set", object });
  }

  #remember({ type, object }: ObjectChange): void {
    if (type === "deleted") {
      this.#byUid.delete(uidOf(object));
      this.#made.delete(object);
    } else {
      this.#byUid.set(uidOf(object), object);
      this.#made.set(object);
    }
  }

  #follow({ type, object }: ObjectChange): void {
    const uid = uidOf(object);
    const origin = originOf(object);
    const maker = origin === undefined ? undefined : this.#ruleOf({ object, origin });
    if (origin !== undefined) this.#keep(maker, origin.triggerUid);
    // Another trigger may want it as well.
    if (type === "deleted" && maker !== undefined) {
      for (const trigger of this.#dependencies.triggersOf(keyOf(maker.policy, maker.rule))) this.#keep(maker, trigger);
    }
    for (const { key, trigger } of this.#dependencies.of(object)) this.#keep(this.#rules.get(key), trigger);
    const made = this.#made.of(uid);
    if (type === "set") {
      for (const one of made) this.#keep(this.#ruleOf(one), one.origin.triggerUid);
      // At admission it was not there yet: a rule that looks for what it finds runs once more.
      if (this.#isNew(object)) for (const kept of this.#rules.values()) if (isTrigger(kept, object)) this.#keep(kept, uid);
    } else {
      this.#dependencies.forgetTrigger(uid);
      this.#removeKept(made);
    }
  }

  #isNew(object: KubernetesObject): boolean {
    return this.#options.host.now() - createdOf(object) < newMilliseconds;
  }

  #keep(kept: KeptRule | undefined, trigger: string): void {
    if (kept?.terms.synchronize === true) this.#renew(kept, trigger, ({ synchronize }) => synchronize);
  }

  /** The rule that keeps an object; undefined where it is kept by none. */
  #ruleOf(made: Omit<Made, "ref">): KeptRule | undefined {
    for (const kept of this.#rules.values()) if (isOf(kept, made)) return kept;
    return undefined;
  }

  /** Removes those of the objects whose rule keeps them; what a deletion led to is not undone by it. */
  #removeKept(made: readonly Made[]): void {
    for (const one of made) {
      const kept = this.#ruleOf(one);
      if (kept?.terms.synchronize === true && operationsOf(kept.rule).length > 0) this.#remove(one);
    }
  }

  #remove({ ref, object }: Made): void {
    this.#queue.add(`remove ${ref}`, async () => {
      if (this.#options.leads()) await this.#options.writer.remove(object);
    });
  }

  /** Policies have changed. */
  #revise(revision: PolicyRevision): void {
    if (!this.#started) return;
    const before = this.#rules;
    this.#rules = rulesOf(revision);
    // Nothing is held for nobody.
    if (before.size === 0 && this.#rules.size > 0) this.#rememberAll();
    const led = this.#led;
    this.#led = this.#options.leads();
    if (!this.#led) return;
    for (const [key, kept] of this.#rules) if (!led || before.get(key)?.text !== kept.text) this.#lookAt(kept);
    for (const [key, kept] of before) if (!this.#rules.has(key)) this.#retire(kept);
  }

  /** The rule is new, or another one. */
  #lookAt(kept: KeptRule): void {
    for (const made of this.#made.all()) if (isOf(kept, made)) this.#keep(kept, made.origin.triggerUid);
    if (!kept.terms.existing) return;
    for (const object of this.#byUid.values()) {
      if (isTrigger(kept, object)) this.#renew(kept, uidOf(object), ({ existing }) => existing);
    }
  }

  /** The rule is gone: so is what it made, unless that was to stay, or nobody can say for certain that the rule is gone. */
  #retire(kept: KeptRule): void {
    const { policy, rule, terms } = kept;
    this.#dependencies.forget(keyOf(policy, rule));
    if (!terms.synchronize || terms.orphan) return;
    const made = this.#made.all().filter((one) => isOf(kept, one));
    if (made.length === 0) return;
    const { group, kind, namespace, name } = policy.id;
    this.#queue.add(`retire ${keyOf(policy, rule)}`, async () => {
      await delay(certaintyMilliseconds);
      if (this.#rules.has(keyOf(policy, rule))) return;
      const hasOthers = [...this.#rules.values()].some((other) => policyName(other.policy.id) === policyName(policy.id));
      if (hasOthers || (await this.#options.writer.isGone(group, kind, namespace, name)))
        for (const one of made) this.#remove(one);
    });
  }

  /** Runs a rule for its trigger once more, if it still wants that by then. */
  #renew(kept: KeptRule, uid: string, wants: (terms: DownstreamTerms) => boolean): void {
    const key = keyOf(kept.policy, kept.rule);
    this.#queue.add(`${key} ${uid}`, async () => {
      const trigger = this.#byUid.get(uid);
      const current = this.#rules.get(key);
      if (trigger !== undefined && current !== undefined && wants(current.terms) && this.#options.leads())
        await this.#run(current, trigger);
    });
  }

  async #run(kept: KeptRule, trigger: KubernetesObject): Promise<void> {
    const { policy, rule, terms } = kept;
    if (terms.runsOnce) return;
    const { writer } = this.#options;
    let generated: readonly Wanted[] = [];
    let targets: readonly Wanted[] = [];
    const watching = this.#dependencies.watching(keyOf(policy, rule), uidOf(trigger));
    // It wants nothing only where it wants nothing whatever was done to the trigger.
    for (const operation of operationsOf(rule)) {
      const action = actionOn(trigger, operation, this.#options);
      const decision = await this.#options.judge.judge({ policy, rule }, action, watching);
      const problem = decision.results.find(({ result }) => result.status === "error")?.result.message;
      if (problem !== undefined) throw new Error(`${keyOf(policy, rule)} cannot be run for ${refOf(trigger)}: ${problem}`);
      // What was excepted changes nothing.
      if (decision.results.some(({ result }) => result.exceptions !== undefined)) return;
      ({ generated, targets } = effectsOf(decision, action) ?? { generated, targets });
      if (generated.length + targets.length > 0) break;
    }
    for (const { object } of generated) await writer.bring(object, terms).catch(rethrowAs(object));
    for (const { object } of targets) await writer.mutate(object).catch(rethrowAs(object));
    // Where errors are let pass, nothing wanted may be an error.
    if (generated.length === 0 && policy.onError === "allow") return;
    const wanted = new Set(generated.map(({ object }) => refOf(object)));
    const made = this.#made.of(uidOf(trigger)).filter((one) => one.origin.triggerUid === uidOf(trigger) && isOf(kept, one));
    this.#removeKept(made.filter(({ ref }) => !wanted.has(ref)));
  }
}

/** Whether an object may be a trigger of a rule; what was generated leads to nothing more. */
function isTrigger({ set, rule, terms }: KeptRule, object: KubernetesObject): boolean {
  if (terms.skipsOwnWrites && originOf(object) !== undefined) return false;
  return operationsOf(rule).some((operation) => set.concerns({ ...gvkOf(object), subresource: "", operation }, [rule.kind]));
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

/** Whether a rule made an object, and not a controller that copied the labels of what the rule made. */
function isOf({ policy: { id }, rule, terms }: KeptRule, { object, origin }: Omit<Made, "ref">): boolean {
  if (id.name !== origin.policy || id.namespace !== origin.policyNamespace || rule.name !== origin.rule) return false;
  return terms.kinds?.has(`${groupOf(object)}/${object.kind}`) ?? origin.generatedAs === markOf(object);
}

/** What may have been done to a trigger that is there; none for a rule that waits for deletions. */
function operationsOf({ operations }: CompiledRule): readonly ("CREATE" | "UPDATE")[] {
  return (["CREATE", "UPDATE"] as const).filter((operation) => operations?.has(operation) ?? true);
}

const rethrowAs = (object: KubernetesObject) => (error: unknown) => {
  throw notWritten(object, error);
};
