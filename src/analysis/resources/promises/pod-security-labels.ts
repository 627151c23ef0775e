import { toPointer } from "../../../core/json.ts";
import { labelsOf } from "../../../core/kubernetes.ts";
import { foldName, nearestName } from "../../../core/nearest-name.ts";
import { isTemplate } from "../fields/placeholder.ts";
import { adviceFix, type LintIssue, orList, patchFix } from "../issue.ts";
import type { ObjectCheck } from "../object-check.ts";

const prefix = "pod-security.kubernetes.io/";
const modes = ["enforce", "audit", "warn"];
const names = modes.flatMap((mode) => [mode, `${mode}-version`]);
const levels = ["privileged", "baseline", "restricted"];
const versionForm = /^(?:latest|v1\.(?:0|[1-9]\d*))$/;

/** Pod Security labels with a key that the admission plugin ignores, or a value that it refuses. */
export const podSecurityLabelsCheck: ObjectCheck = {
  kinds: ["/Namespace"],
  check(namespace) {
    return Object.entries(labelsOf(namespace)).flatMap(([key, value]) => {
      if (isTemplate(value)) return [];
      const issue = key.startsWith(prefix) ? inDomain(key, value) : otherDomain(key);
      return issue === undefined ? [] : [issue];
    });
  },
};

function inDomain(key: string, value: string): LintIssue | undefined {
  const name = key.slice(prefix.length);
  if (!names.includes(name)) {
    const near = nearestName(name, names);
    return ignored(key, near === undefined ? undefined : prefix + near);
  }
  const isVersion = name.endsWith("-version");
  if (isVersion ? versionForm.test(value) : levels.includes(value)) return undefined;
  const near = isVersion ? undefined : nearestName(value, levels);
  const allowed = isVersion ? "latest or v1.<minor>" : orList(levels);
  const path = ["metadata", "labels", key];
  return {
    check: "pod-security-label",
    rule: "invalid-value",
    path,
    status: "fail",
    server: "refuses-object",
    message: `${key} must be ${allowed}, not ${JSON.stringify(value)}. The API server refuses to create a namespace with it.`,
    fix:
      near === undefined
        ? adviceFix(`Use ${allowed}.`)
        : patchFix(`Write ${near}.`, { op: "replace", path: toPointer(path), value: near }),
  };
}

/** `podsecurity.kubernetes.io/enforce`, `pod-security.k8s.io/enforce`: the right name under a wrong domain. */
function otherDomain(key: string): LintIssue | undefined {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  if (slash < 0 || !names.includes(name)) return undefined;
  const domain = foldName(key.slice(0, slash));
  return /^podsecurity(?:standards?|admission)?(?:kubernetesio|k8sio)$/.test(domain) ? ignored(key, prefix + name) : undefined;
}

function ignored(key: string, meant: string | undefined): LintIssue {
  const path = ["metadata", "labels", key];
  return {
    check: "pod-security-label",
    rule: "ignored",
    path,
    atKey: true,
    status: "fail",
    message: `The Pod Security admission plugin does not know the label ${key}: nothing is enforced by it.${meant === undefined ? "" : ` The label is ${meant}.`}`,
    fix:
      meant === undefined
        ? adviceFix(`Use ${orList(names.map((name) => prefix + name))}.`)
        : patchFix(`Rename it to ${meant}.`, {
            op: "move",
            from: toPointer(path),
            path: toPointer(["metadata", "labels", meant]),
          }),
  };
}
