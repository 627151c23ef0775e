import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { discover } from "../../adapters/kubernetes/discovery.ts";
import { asString, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, uidOf, versionOf } from "../../core/kubernetes.ts";
import { neverDeleted } from "./exclusive-kinds.ts";
import { applying, type Drift, pathOf, underTrialName } from "./find-drift.ts";

/** Which undeclared objects are deleted: none; in namespaces those that nobody else keeps; all but Kubernetes' own. */
export const deletions = ["none", "namespaced", "all"] as const;
export type Deletion = (typeof deletions)[number];

/** One object that healing changes. */
export interface HealStep {
  readonly action: "create" | "change" | "recreate" | "delete";
  readonly drift: Drift;
}

/** What healing does, in its order: what others need comes first, and what goes comes last. */
export function healSteps(drifts: readonly Drift[], deletion: Deletion): readonly HealStep[] {
  const steps = drifts.flatMap((drift): HealStep[] => {
    if (drift.type === "missing") return [{ action: "create", drift }];
    if (drift.type === "changed") return [{ action: drift.recreate ? "recreate" : "change", drift }];
    return isDeleted(drift, deletion) ? [{ action: "delete", drift }] : [];
  });
  return steps.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function isDeleted({ kept }: Drift & { readonly type: "undeclared" }, deletion: Deletion): boolean {
  if (kept === undefined) return deletion !== "none";
  return deletion === "all" && !neverDeleted.has(kept);
}

function rankOf({ action, drift: { resource, served } }: HealStep): number {
  if (action === "delete") return 9;
  if (served.group === "" && served.kind === "Namespace") return 0;
  if (served.kind === "CustomResourceDefinition") return 1;
  if (served.kind === "ConstraintTemplate") return 2;
  // A binding is judged by the role that is there.
  return resource.kind.endsWith("Binding") ? 5 : 4;
}

/** A step that the server would refuse, or could not be asked about. */
export interface Refusal {
  readonly step: HealStep;
  readonly message: string;
}

/** Asks the server to do everything as a dry run. What needs another step to be done first cannot be asked about. */
export async function tryHealing(client: KubernetesClient, steps: readonly HealStep[]): Promise<readonly Refusal[]> {
  const created = new Set(steps.filter(({ action }) => action === "create").map(({ drift }) => keyOf(drift)));
  const refusals: Refusal[] = [];
  for (const step of steps) {
    const { drift } = step;
    if ((drift.type === "missing" && !drift.isServed) || needs(drift).some((key) => created.has(key))) continue;
    try {
      await perform(client, step, true);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refusals.push({ step, message: error.message });
    }
  }
  return refusals;
}

const keyOf = ({ resource: { group, kind, namespace, name } }: Drift) => [group, kind, namespace, name].join("/");

/** The objects without which the server cannot judge this one: its namespace, the role that it binds. */
function needs(drift: Drift): readonly string[] {
  const { namespace } = drift.resource;
  const own = namespace === "" ? [] : [`/Namespace//${namespace}`];
  if (drift.type === "undeclared") return own;
  const role = drift.desired["roleRef"];
  const [kind, name] = [asString(member(role, "kind")), asString(member(role, "name"))];
  const place = kind === "Role" ? namespace : "";
  return kind === undefined ? own : [...own, [groupOf(drift.desired), kind, place, name].join("/")];
}

/** What came of healing. */
export interface Healed {
  readonly done: readonly HealStep[];
  /** Where it stopped; the rest was not tried. */
  readonly failed?: Refusal;
}

/**
 * Makes the live objects what was declared, one after the other, and stops at the first that the server refuses.
 * Only what was seen is changed: a newer state is somebody's intention, and a conflict.
 */
export async function heal(
  client: KubernetesClient,
  steps: readonly HealStep[],
  { perSecond, onDone }: { readonly perSecond: number; readonly onDone: (step: HealStep) => void },
): Promise<Healed> {
  const done: HealStep[] = [];
  for (const step of steps) {
    if (done.length > 0) await delay(1000 / perSecond);
    try {
      if (step.drift.type === "missing" && !step.drift.isServed) await untilServed(client, step.drift);
      await perform(client, step, false);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const unknown = error.status === 0 || error.status >= 500 ? "; whether it was done is not known" : "";
      return { done, failed: { step, message: `${error.message}${unknown}` } };
    }
    done.push(step);
    onDone(step);
  }
  return { done };
}

async function perform(client: KubernetesClient, { action, drift }: HealStep, dryRun: boolean): Promise<void> {
  const { served } = drift;
  if (drift.type === "missing") {
    await client.send(applying(served, drift.desired, dryRun));
    return;
  }
  if (action === "change" && drift.type === "changed") {
    const body = { ...drift.desired, metadata: { ...drift.desired.metadata, resourceVersion: versionOf(drift.live) } };
    await client.send(applying(served, body, dryRun));
    return;
  }
  // Whoever may delete it and not grant it anew must not be stopped half-way.
  if (drift.type === "changed") await client.send(applying(served, underTrialName(drift.desired), true));
  await remove(client, drift, dryRun);
  if (drift.type === "changed" && !dryRun) await makeAnew(client, drift);
}

async function makeAnew(client: KubernetesClient, { served, desired }: Drift & { readonly type: "changed" }): Promise<void> {
  try {
    await client.send(applying(served, desired, false));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(error.status, error.reason, `it was deleted, and could not be made anew: ${error.message}`);
  }
}

async function remove(client: KubernetesClient, drift: Exclude<Drift, { type: "missing" }>, dryRun: boolean): Promise<void> {
  const path = pathOf(drift.served, drift.live);
  // With a body the server ignores the query, and the audit log would not tell a dry run from a deletion.
  if (dryRun) await client.send({ method: "DELETE", path: `${path}?dryRun=All` });
  else {
    const preconditions = { uid: uidOf(drift.live), resourceVersion: versionOf(drift.live) };
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    await client.send({ method: "DELETE", path, body });
  }
}

const servedWithinMilliseconds = 20_000;
const pauseMilliseconds = 200;

/** A kind is served a moment after its definition was made. Throws `ApiError` where it is not. */
async function untilServed(client: KubernetesClient, { served }: Drift): Promise<void> {
  const { group, version, kind } = served;
  const end = performance.now() + servedWithinMilliseconds;
  while (performance.now() < end) {
    const { resources } = await discover(client);
    if (resources.some((one) => one.group === group && one.version === version && one.kind === kind)) return;
    await delay(pauseMilliseconds);
  }
  const message = `${group}/${version} ${kind} was not served within ${servedWithinMilliseconds / 1000} s of its definition`;
  throw new ApiError(0, "", message);
}

/** What healing changes is kept before: objects as they are, and what is made that was not there. */
export function undoOf(steps: readonly HealStep[]): {
  readonly restore: readonly KubernetesObject[];
  /** In the order in which they go: what needs another one first. */
  readonly remove: readonly Drift[];
} {
  return {
    restore: steps.flatMap(({ drift }) => (drift.type === "missing" ? [] : [drift.live])),
    remove: steps
      .filter(({ action }) => action === "create" || action === "recreate")
      .map(({ drift }) => drift)
      .toReversed(),
  };
}
