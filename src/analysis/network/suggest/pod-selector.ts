import { isObject, member, valueAt } from "../../../core/json.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { Network, Workload } from "../model.ts";

export interface PickedSelector {
  /** For `matchLabels`; never empty. */
  readonly labels: Labels;
  /** Other workloads of the namespace that it selects, too: no label tells them apart. */
  readonly also: readonly Workload[];
}

/** What controllers, charts and releases put on pods: it changes, or says nothing about what the pod is. */
const volatile =
  /^(pod-template-hash|controller-revision-hash|pod-template-generation|controller-uid|job-name|statefulset\.kubernetes\.io\/.*|apps\.kubernetes\.io\/pod-index|batch\.kubernetes\.io\/.*|app\.kubernetes\.io\/(version|managed-by)|helm\.sh\/.*|chart|heritage|version|service\.istio\.io\/.*|security\.istio\.io\/.*|topology\..*|sidecar\..*)$/;

const preferred = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/component",
  "app",
  "component",
  "k8s-app",
  "ray.io/cluster",
  "ray.io/node-type",
  "app.kubernetes.io/instance",
];

/** The most labels that are combined to tell a workload from its neighbours. */
const mostLabels = 3;

/** Finds labels for any workload of a network as it is now. */
export function selectorPicker(network: Network): (workload: Workload) => PickedSelector | undefined {
  const byNamespace = Map.groupBy(network.workloads, (w) => w.namespace);
  return (workload) => pickSelector(workload, byNamespace.get(workload.namespace) ?? []);
}

/**
 * Labels that select a workload, tried against everything that runs beside it: what its owner selects it by, else the
 * fewest lasting labels that pick nothing else. Undefined where the pods carry no lasting label.
 */
function pickSelector(workload: Workload, neighbours: readonly Workload[]): PickedSelector | undefined {
  const beside = neighbours.filter((w) => w !== workload && !w.hostNetwork);
  const also = (labels: Labels) => beside.filter((w) => Object.entries(labels).every(([key, value]) => w.labels[key] === value));
  const owner = ownerSelector(workload);
  if (owner !== undefined && also(owner).length === 0) return { labels: owner, also: [] };
  const lasting = Object.keys(workload.labels)
    .filter((key) => !volatile.test(key))
    .sort((a, b) => rank(a) - rank(b));
  for (let size = 1; size <= mostLabels; size++) {
    for (const keys of combinations(lasting, size)) {
      const labels = labelsOf(workload, keys);
      if (also(labels).length === 0) return { labels, also: [] };
    }
  }
  if (lasting.length === 0) return undefined;
  const labels = labelsOf(workload, lasting);
  return { labels, also: also(labels) };
}

/** `spec.selector.matchLabels` of a Deployment and its like, where it is all that the owner selects by. */
function ownerSelector(workload: Workload): Labels | undefined {
  const spec = workload.document.value["spec"];
  const selector = member(spec, "selector");
  // A ReplicationController's selector is the labels themselves.
  const matchLabels = workload.document.value.kind === "ReplicationController" ? selector : member(selector, "matchLabels");
  if (!isObject(matchLabels) || valueAt(selector, ["matchExpressions", 0]) !== undefined) return undefined;
  const entries = Object.entries(matchLabels).filter((e): e is [string, string] => typeof e[1] === "string");
  const isFit = entries.length > 0 && entries.every(([key, value]) => workload.labels[key] === value && !volatile.test(key));
  return isFit ? Object.fromEntries(entries) : undefined;
}

function rank(key: string): number {
  const index = preferred.indexOf(key);
  return index < 0 ? preferred.length : index;
}

function labelsOf(workload: Workload, keys: readonly string[]): Labels {
  return Object.fromEntries(keys.map((key) => [key, workload.labels[key] ?? ""]));
}

function* combinations(keys: readonly string[], size: number, from = 0): Generator<readonly string[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= keys.length - size; i++) {
    const key = keys[i];
    if (key === undefined) return;
    for (const rest of combinations(keys, size - 1, i + 1)) yield [key, ...rest];
  }
}
