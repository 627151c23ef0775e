import type { Instant } from "../../core/host.ts";
import { asString, isArray, isObject, jsonEquals, member } from "../../core/json.ts";
import { createdOf, gvkOf, type KubernetesObject, uidOf } from "../../core/kubernetes.ts";
import { isDue } from "../../core/schedule/cron.ts";
import { PolicySet, policyName } from "../../engine/index.ts";
import { cleanupPropagation, expiryOf, ttlLabel } from "../../policies/kyverno/cleanup-label.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { type ActedCluster, actionOn } from "./acted-cluster.ts";
import type { Propagation } from "./downstream-writer.ts";
import { notWritten } from "./effects.ts";

/** How often it is looked whose hour has come. */
const lookMilliseconds = 2000;
/** What could not be deleted is tried again after so long. */
const againMilliseconds = 60_000;

/**
 * Deletes what cleanup and deleting policies want deleted, at the times of their schedules (cron, UTC), and objects whose own
 * label says when they are to go. A time of a schedule that was missed is not made up for; a label's is.
 */
export class Deletions {
  readonly #options: ActedCluster;
  #looked: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** Objects that are being deleted by their labels, or could not be, by UID: when they are looked at again. */
  readonly #tried = new Map<string, Instant>();
  /** Whose objects were deleted by their labels, by UID, and when. */
  readonly #owners = new Map<string, Instant>();
  #stopped = false;

  constructor(options: ActedCluster) {
    this.#options = options;
    this.#looked = options.host.now();
  }

  /** Call once everything that the cluster holds is known. */
  start(): void {
    this.#looked = this.#options.host.now();
    this.#timer ??= setInterval(() => this.#look(), lookMilliseconds).unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #look(): void {
    // A round that takes longer than to the next is not joined by that.
    if (this.#running !== undefined) return;
    const from = this.#looked;
    this.#looked = this.#options.host.now();
    if (!this.#options.leads()) return;
    const due = this.#options.policies.current.policies.filter((policy) => this.#isDue(policy, from, this.#looked));
    const expired = this.#expired(this.#looked);
    if (due.length + expired.length > 0) {
      this.#running = this.#removeAll(expired)
        .then(() => this.#deleteAll(due))
        .finally(() => {
          this.#running = undefined;
        });
    }
  }

  #expired(now: Instant): readonly KubernetesObject[] {
    const expired: KubernetesObject[] = [];
    for (const object of this.#options.objects())
      if ((expiryOf(object) ?? Number.POSITIVE_INFINITY) <= now && !isEnding(object)) expired.push(object);
    for (const [owner, at] of this.#owners) if (at + againMilliseconds <= now) this.#owners.delete(owner);
    const due = expired.filter((object) => (this.#tried.get(uidOf(object)) ?? 0) <= now && !this.#isMadeAgain(object));
    for (const object of due) {
      this.#owners.set(ownerOf(object), now);
      this.#tried.set(uidOf(object), now + againMilliseconds);
    }
    const there = new Set(expired.map(uidOf));
    for (const uid of this.#tried.keys()) if (!there.has(uid)) this.#tried.delete(uid);
    return due;
  }

  /** A controller whose template has the label makes anew what is deleted: not at once again. */
  #isMadeAgain(object: KubernetesObject): boolean {
    const deleted = this.#owners.get(ownerOf(object));
    // Creation is told in whole seconds.
    return ownerOf(object) !== "" && deleted !== undefined && createdOf(object) + 1000 > deleted;
  }

  async #removeAll(objects: readonly KubernetesObject[]): Promise<void> {
    const { writer, onTrouble } = this.#options;
    for (const object of objects) {
      if (this.#stopped || !this.#options.leads()) return;
      const removed = writer.remove(object, cleanupPropagation(object), ttlLabel);
      await removed.catch((error: unknown) => onTrouble(notWritten(object, error)));
    }
  }

  #isDue(policy: CompiledPolicy, from: number, until: number): boolean {
    const schedule = asString(member(specOf(policy), "schedule"));
    if (schedule === undefined || !policy.rules.some(({ kind }) => kind === "delete")) return false;
    // One that is none was refused when it was stored, or is told as broken.
    return isDue(schedule, from, until);
  }

  #isInForce(policy: CompiledPolicy): boolean {
    const { policies } = this.#options.policies.current;
    return policies.some(
      (now) => now === policy || (policyName(now.id) === policyName(policy.id) && jsonEquals(specOf(now), specOf(policy))),
    );
  }

  async #deleteAll(policies: readonly CompiledPolicy[]): Promise<void> {
    for (const policy of policies) {
      await this.#delete(policy).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.onTrouble(new Error(`${policyName(policy.id)} could not delete all that it is to: ${message}`));
      });
    }
  }

  async #delete(policy: CompiledPolicy): Promise<void> {
    const { objects, judge, writer, leads, onTrouble } = this.#options;
    const set = new PolicySet([policy]);
    const propagation = propagationOf(policy);
    for (const object of [...objects()]) {
      // Somebody may have seen what happens, and stopped it.
      if (this.#stopped || !leads() || !this.#isInForce(policy)) return;
      if (!set.concerns({ ...gvkOf(object), subresource: "", operation: "CREATE" }, ["delete"])) continue;
      for (const rule of policy.rules) {
        const { results } = await judge.judge({ policy, rule }, actionOn(object, "CREATE", this.#options));
        // What cannot be judged stays.
        if (!results.some(({ result }) => result.status === "pass" && result.exceptions === undefined)) continue;
        const removed = writer.remove(object, propagation, policyName(policy.id));
        await removed.catch((error: unknown) => onTrouble(notWritten(object, error)));
      }
    }
  }
}

const isEnding = ({ metadata }: KubernetesObject): boolean => member(metadata, "deletionTimestamp") !== undefined;

/** The UID of what an object belongs to; empty where that is nothing. */
function ownerOf({ metadata }: KubernetesObject): string {
  const owners = member(metadata, "ownerReferences");
  return asString(member(isArray(owners) ? owners[0] : undefined, "uid")) ?? "";
}

const specOf = (policy: CompiledPolicy) => {
  const { value } = policy.origin;
  return isObject(value) ? value["spec"] : undefined;
};

function propagationOf(policy: CompiledPolicy): Propagation {
  const wanted = asString(member(specOf(policy), "deletionPropagationPolicy"));
  return wanted === "Foreground" || wanted === "Orphan" ? wanted : "Background";
}
