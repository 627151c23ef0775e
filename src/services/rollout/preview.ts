import { type Action, targetOf } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Facts } from "../../core/facts.ts";
import type { Severity } from "../../core/finding.ts";
import type { Host, Instant } from "../../core/host.ts";
import { type KubernetesObject, labelsOf, nameOf, namespaceOf, resourceRef } from "../../core/kubernetes.ts";
import { type Decision, evaluate, type PolicyResult, PolicySet, policyName } from "../../engine/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { withMode } from "../admission/modes.ts";
import { teamOfLabels } from "../team.ts";
import type { RecordedVerdict, StoredHistory } from "./history.ts";

/** Where an action comes from: an object that is there now, a recorded request, or a verdict that the server recorded. */
export type PreviewSource = "objects" | "history" | "recorded";

/** Somebody whom the candidate would have stopped, or might have: `error` is a rule that could not be judged. */
export interface Stopped {
  readonly source: PreviewSource;
  readonly status: "fail" | "error";
  readonly policy: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly team: string;
  readonly namespace: string;
  /** Who asked for it, or who changed the object last; empty where the ledger does not know. */
  readonly user: string;
  readonly kind: string;
  readonly name: string;
  readonly message: string;
  /** How often, where it is told several times; the newest time where it is known. */
  readonly times: number;
  readonly at?: Instant | undefined;
}

export interface Preview {
  readonly policies: readonly string[];
  /** What the candidate was tried on. */
  readonly judged: { readonly objects: number; readonly requests: number; readonly recorded: number };
  /** Recorded requests that the ledger keeps no object of: nobody can say what the candidate would have done. */
  readonly notReplayed: number;
  readonly stopped: readonly Stopped[];
  /** Could not be judged: whether they would have been stopped is not known. */
  readonly undecided: readonly Stopped[];
  /** Failures that an exception lifts. */
  readonly excepted: number;
  readonly passed: number;
}

export interface PreviewRequest {
  readonly policies: readonly CompiledPolicy[];
  /** What is there now: judged as if it was created. */
  readonly objects: readonly KubernetesObject[];
  readonly history: StoredHistory;
  readonly resources: ApiResources;
  readonly facts: Facts;
  readonly host: Host;
  /** Only what is in this namespace; empty: everything. */
  readonly namespace: string;
}

const stages = ["mutate", "verify", "validate"] as const;

/** Tries policies as if they were enforced on everything that is there and that was asked for, and says whom they stop. */
export function previewPolicies(request: PreviewRequest): Preview {
  const { objects, history, namespace } = request;
  const set = new PolicySet(request.policies.map((policy) => withMode(policy, () => "enforce")));
  const inScope = (name: string) => namespace === "" || name === namespace;
  const labels = new Map(objects.filter(isNamespace).map((object) => [nameOf(object), labelsOf(object)]));
  const teamOf = (name: string) => teamOfLabels(labels.get(name) ?? {}) ?? "";
  const found = new Tally();
  const candidates = objects.filter((object) => inScope(namespaceScope(object)));
  for (const object of candidates) {
    const action = creationOf(object, labels.get(namespaceOf(object)), request);
    const user = history.lastActors.get(objectKey(object)) ?? "";
    found.take("objects", decide(action, set, request), action, teamOf(namespaceScope(object)), user);
  }
  const asked = history.actions.filter((action) => inScope(action.target.namespace));
  for (const action of asked) {
    const known = { ...action, namespaceLabels: labels.get(action.target.namespace) };
    found.take("history", decide(known, set, request), known, teamOf(action.target.namespace), action.actor?.user ?? "");
  }
  const names = new Set(request.policies.map((policy) => policyName(policy.id)));
  const recorded = history.verdicts.filter((verdict) => names.has(verdict.policy) && inScope(verdict.namespace));
  const severities = new Map(request.policies.map((policy) => [policyName(policy.id), policy.severity]));
  for (const verdict of recorded) found.recorded(verdict, teamOf(verdict.namespace), severities.get(verdict.policy) ?? "medium");
  return {
    policies: [...names],
    judged: { objects: candidates.length, requests: asked.length, recorded: recorded.length },
    notReplayed: history.withoutObject,
    ...found.result(),
  };
}

/** Whether nobody would be stopped that is not meant to be, as far as everything could be judged. */
export function isClean({ stopped, undecided }: Preview): boolean {
  return stopped.length === 0 && undecided.length === 0;
}

const isNamespace = (object: KubernetesObject) => object.kind === "Namespace" && object.apiVersion === "v1";

/** A namespace belongs to itself. */
const namespaceScope = (object: KubernetesObject) => (isNamespace(object) ? nameOf(object) : namespaceOf(object));

/** Names an object across versions of its group. */
export function objectKey(object: KubernetesObject): string {
  const { group, kind, namespace, name } = resourceRef(object);
  return `${group}/${kind}/${namespace}/${name}`;
}

function creationOf(object: KubernetesObject, labels: Action["namespaceLabels"], { resources, host }: PreviewRequest): Action {
  return {
    channel: "background",
    actor: undefined,
    operation: "CREATE",
    dryRun: true,
    target: targetOf(object, resources),
    object,
    namespaceLabels: labels,
    at: host.now(),
  };
}

function decide(action: Action, set: PolicySet, { facts, host, resources }: PreviewRequest): Decision {
  const evaluation = evaluate(set, action, facts, host, { resources, passes: true, kinds: stages });
  if (evaluation.kind === "pending") throw new Error("a preview's facts answer every need");
  return evaluation.decision;
}

/** Counts one person's same trouble once. */
class Tally {
  readonly #stopped = new Map<string, readonly Stopped[]>();
  #excepted = 0;
  #passed = 0;

  take(source: PreviewSource, { results }: Decision, action: Action, team: string, user: string): void {
    for (const result of results) this.#result(source, result, action, team, user);
  }

  recorded(verdict: RecordedVerdict, team: string, severity: Severity): void {
    this.#add({ ...verdict, team, severity, source: "recorded", times: 1 });
  }

  result(): Pick<Preview, "stopped" | "undecided" | "excepted" | "passed"> {
    const all = [...this.#stopped.values()].flat();
    return {
      stopped: all.filter(({ status }) => status === "fail"),
      undecided: all.filter(({ status }) => status === "error"),
      excepted: this.#excepted,
      passed: this.#passed,
    };
  }

  #result(source: PreviewSource, { policy, rule, result }: PolicyResult, action: Action, team: string, user: string): void {
    const { status } = result;
    if (status === "pass") this.#passed++;
    if (status === "skip" && (result.exceptions?.length ?? 0) > 0) this.#excepted++;
    if (status !== "fail" && status !== "error") return;
    const { kind, name } = action.target;
    this.#add({
      source,
      status,
      policy: policyName(policy.id),
      rule: rule.name,
      severity: result.severity ?? policy.severity,
      team,
      namespace: action.target.namespace,
      user,
      kind,
      name,
      message: kind === "Secret" ? "" : result.message,
      times: 1,
      at: source === "history" ? action.at : undefined,
    });
  }

  /** What is there now and was recorded when it came is one trouble: the record knows who, the object that it lasts. */
  #add(stopped: Stopped): void {
    const { status, policy, rule, namespace, kind, name } = stopped;
    const key = [status, policy, rule, namespace, kind, name].join("\n");
    const same = this.#stopped.get(key) ?? [];
    const before = same.find(({ user }) => user === stopped.user || user === "" || stopped.user === "");
    const merged: Stopped =
      before === undefined
        ? stopped
        : {
            ...before,
            user: before.user || stopped.user,
            at: stopped.at ?? before.at,
            times: stopped.source === before.source ? before.times + 1 : Math.max(before.times, stopped.times),
          };
    this.#stopped.set(key, [...same.filter((one) => one !== before), merged]);
  }
}
