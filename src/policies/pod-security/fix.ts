import type { Fix, JsonPatchOperation } from "../../core/finding.ts";
import { isObject, type JsonObject, type JsonPath, type JsonValue, toPointer, valueAt } from "../../core/json.ts";
import type { CheckId, Violation } from "./check.ts";

/** What to do about each check, where the patch does not say all. */
const advice: { readonly [id in CheckId]: string } = {
  allowPrivilegeEscalation: "Set allowPrivilegeEscalation to false.",
  appArmorProfile: "Use the runtime's default AppArmor profile, or one of the node's (Localhost).",
  capabilities_baseline: "Do not add these capabilities; most programs need none.",
  capabilities_restricted: "Drop all capabilities; NET_BIND_SERVICE alone may be added back.",
  hostNamespaces: "Do not share the host's namespaces; reach the network through a Service.",
  hostPathVolumes: "Use a persistent volume claim, a config map or an emptyDir instead of a path of the node.",
  hostPorts: "Remove the host port and publish the pod through a Service.",
  hostProbesAndHostLifecycle: "Leave the host out: the kubelet then asks the pod itself.",
  privileged: "Set privileged to false, and add only the capabilities or devices that are needed.",
  procMount: "Leave procMount at its default, or give the pod a user namespace (hostUsers: false).",
  procMount_restricted: "Leave procMount at its default.",
  restrictedVolumes:
    "Mount the storage through a persistent volume claim, or as a CSI, config map, secret, projected, image or emptyDir volume.",
  runAsNonRoot: "Set runAsNonRoot to true, and make sure that the image names a numeric user other than 0.",
  runAsUser: "Name a user other than 0.",
  seLinuxOptions: "Leave user and role out, and use one of the container types.",
  seccompProfile_baseline: "Use the runtime's default seccomp profile, or one of the node's (Localhost).",
  seccompProfile_restricted: "Use the runtime's default seccomp profile, or one of the node's (Localhost).",
  sysctls: "Remove the sysctls that are not namespaced and safe; set them on the node.",
  windowsHostProcess: "Set hostProcess to false.",
};

/** A check and what breaks it. */
export interface Broken {
  readonly check: { readonly id: CheckId };
  readonly violations: readonly Violation[];
}

/**
 * How to put checks right: in words, and as a patch of `object` as it is now, for all violations that can be put right
 * without a decision. `locate` leads from a path in the pod to the path in the object.
 */
export function fixFor(broken: readonly Broken[], object: JsonObject, locate: (path: JsonPath) => JsonPath): Fix {
  const description = broken.map(({ check }) => advice[check.id]).join(" ");
  const additions = new Map<string, JsonPatchOperation>();
  const removals: JsonPatchOperation[] = [];
  for (const { remedy, path } of broken.flatMap(({ violations }) => violations)) {
    if (remedy === undefined) continue;
    if (remedy.op === "remove") removals.push({ op: "remove", path: toPointer(locate(path)) });
    else add(additions, object, locate(remedy.path), remedy.value);
  }
  const patch = [...additions.values(), ...removals];
  return patch.length === 0 ? { description } : { description, patch };
}

/** Adds the member, with the objects on the way to it that are not there yet; those are shared by all additions. */
function add(operations: Map<string, JsonPatchOperation>, object: JsonObject, path: JsonPath, value: JsonValue): void {
  let node: JsonValue | undefined = object;
  let depth = 0;
  for (const step of path) {
    const next: JsonValue | undefined = valueAt(node, [step]);
    if (next === undefined || next === null) break;
    node = next;
    depth++;
  }
  if (depth === path.length) {
    operations.set(toPointer(path), { op: "replace", path: toPointer(path), value });
    return;
  }
  const rest = path.slice(depth + 1);
  if (!isObject(node) || rest.some((step) => typeof step === "number")) return;
  const pointer = toPointer(path.slice(0, depth + 1));
  const before = operations.get(pointer);
  const already = before !== undefined && "value" in before ? before.value : undefined;
  operations.set(pointer, { op: "add", path: pointer, value: nested(already, rest, value) });
}

function nested(base: JsonValue | undefined, path: JsonPath, value: JsonValue): JsonValue {
  const [step, ...rest] = path;
  if (typeof step !== "string") return value;
  const object = isObject(base) ? base : {};
  return { ...object, [step]: nested(object[step], rest, value) };
}
