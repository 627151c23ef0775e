import { type Case, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { accountNames, podNames, Shown } from "./shown.ts";
import { clusterOf, filesOf, manifestDocuments } from "./world.ts";

const attacker = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: enters-pods, namespace: default}
rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: enters-pods, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: enters-pods}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: attacker}]
`;

/** Rights of a file's service account, by the edge that its name begins with. */
const rights: readonly (readonly [edge: string, checks: readonly string[]])[] = [
  ["TOKEN_", ["secrets", "token-request"]],
  ["POD_EXEC", ["exec"]],
  ["IDENTITY_IMPERSONATE", ["impersonate"]],
];

const unmodelled: readonly (readonly [edge: string, why: string])[] = [
  ["SHARE_PS_NAMESPACE", "containers of one pod have one service account: nothing is won"],
  ["CE_NET_MITM", "traffic of the node, which no object shows"],
  ["ENDPOINT_EXPLOIT", "a weakness of what listens, which no object shows"],
];

/** Manifests that KubeHound attacks, one edge a file. */
export async function* kubehound(directory: string): AsyncIterable<Case> {
  const files = await filesOf(directory, ".yaml");
  const together = new Shown(clusterOf(files.flatMap(([, text]) => manifestDocuments(text))));
  for (const [file, text] of files) {
    const edge = file.split("/").at(-1)?.replace(".yaml", "") ?? "";
    const world = clusterOf(manifestDocuments(text));
    const alone = new Shown(clusterOf([...manifestDocuments(text), ...manifestDocuments(attacker)]));
    const reason = unmodelled.find(([prefix]) => edge.startsWith(prefix))?.[1];
    if (reason !== undefined) yield { id: edge, run: () => skipped(`${edge}: ${reason}`) };
    else if (edge.startsWith("CE_") || edge.startsWith("EXPLOIT_")) {
      yield { id: edge, run: () => breaksOut(alone, podNames(world).length, true) };
    } else if (edge === "CONTROL_POD") yield { id: edge, run: () => breaksOut(alone, podNames(world).length, false) };
    else {
      const accounts = accountNames(world);
      if (accounts.length === 0) yield { id: edge, run: () => skipped("roles and pods that other files use") };
      for (const account of accounts) yield { id: `${edge}/${account}`, run: () => holds(together, edge, account) };
    }
  }
}

/** Whoever enters the pods of the namespace leaves one of them for its node. */
function breaksOut(shown: Shown, pods: number, wanted: boolean): Outcome {
  if (pods === 0) return failure("no pod was read");
  const leaves = shown.waysTo("node", "User attacker").some((way) => way.includes("break-out"));
  return leaves === wanted ? passed : failure(`a pod is ${leaves ? "" : "not "}left for its node`);
}

function holds(shown: Shown, edge: string, account: string): Outcome {
  const subject = `ServiceAccount ${account}`;
  const checks = rights.find(([prefix]) => edge.startsWith(prefix))?.[1];
  const told = checks === undefined ? shown.waysTo("node", subject).length > 0 : shown.audits(checks, subject);
  // Their names say which of them come to nothing.
  const wanted = !account.endsWith("-fail");
  return told === wanted ? passed : failure(`${subject} has ${told ? "a" : "no"} way`);
}
