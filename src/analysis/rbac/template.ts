import type { KubernetesObject } from "../../core/kubernetes.ts";
import { authorizeByRules } from "./authorize.ts";
import { effectiveGroups } from "./identities.ts";
import { bindingManifest, roleManifest } from "./manifests.ts";
import type { Binding, Role } from "./objects.ts";
import { emptyRule, type PolicyRule } from "./policy-rule.ts";
import { RbacIndex, serviceAccountUser } from "./rbac-index.ts";

/** `verbs group/resource, ...`; the core group empty. */
type RuleText = readonly [verbs: string, on: string];

interface TemplateRole {
  readonly about: string;
  /** People hold it through a group; a program through a service account of its own. */
  readonly holder: "group" | "service-account";
  readonly rules: readonly RuleText[];
  /** Questions beyond the rules themselves that the proof must answer with no. */
  readonly cannot: readonly string[];
}

const read = "get,list,watch";
const write = "create,update,patch,delete";
const inference = "serving.kserve.io/inferenceservices";

/** What nobody of a project may. */
const never = [
  "get /secrets",
  "list /secrets",
  "create /pods/exec",
  "create /serviceaccounts/token",
  "impersonate /users",
  "create rbac.authorization.k8s.io/rolebindings",
  "escalate rbac.authorization.k8s.io/roles",
  "bind rbac.authorization.k8s.io/clusterroles",
];

export const templates = {
  "data-scientist": {
    about: "reads and writes inference jobs, nothing else",
    holder: "group",
    rules: [
      [`${read},${write}`, inference],
      [`${read},create,delete`, "batch/jobs"],
    ],
    cannot: [...never, "list /pods", "get /configmaps", "create apps/deployments"],
  },
  "ml-engineer": {
    about: "trains and serves models, follows their pods and logs",
    holder: "group",
    rules: [
      [
        `${read},${write}`,
        `${inference},kubeflow.org/notebooks,kubeflow.org/pytorchjobs,trainer.kubeflow.org/trainjobs,ray.io/rayclusters,ray.io/rayjobs,ray.io/rayservices,batch/jobs`,
      ],
      [`${read},${write}`, "/configmaps,/persistentvolumeclaims"],
      [read, "/pods,/events,/services"],
      ["get", "/pods/log"],
    ],
    cannot: [...never, "create /pods", "create apps/deployments", "delete /services"],
  },
  "ci-cd": {
    about: "writes deployment artefacts by server-side apply, reads nothing",
    holder: "service-account",
    rules: [["create,patch", `apps/deployments,/services,/configmaps,${inference}`]],
    cannot: [
      ...never,
      "get apps/deployments",
      "list apps/deployments",
      "delete apps/deployments",
      "list /pods",
      "get /configmaps",
    ],
  },
  viewer: {
    about: "sees what runs, but no secrets and no settings",
    holder: "group",
    rules: [
      [read, `/pods,/services,/events,apps/deployments,apps/statefulsets,batch/jobs,${inference},ray.io/rayclusters`],
      ["get", "/pods/log"],
    ],
    cannot: [...never, "get /configmaps", "delete /pods", `patch ${inference}`],
  },
  agent: {
    about: "an AI agent: looks, and changes nothing",
    holder: "service-account",
    rules: [[read, `/pods,/events,${inference},batch/jobs`]],
    cannot: [
      ...never,
      "get /configmaps",
      "get /pods/log",
      "create /pods",
      "delete /pods",
      `patch ${inference}`,
      "create batch/jobs",
    ],
  },
} as const satisfies Record<string, TemplateRole>;

export type TemplateName = keyof typeof templates;
export const templateNames = Object.keys(templates) as readonly TemplateName[];

export interface Proof {
  readonly question: string;
  readonly namespace: string;
  readonly expected: boolean;
  readonly answer: boolean;
}

export interface Instantiated {
  readonly holder: string;
  readonly objects: readonly KubernetesObject[];
  /** Every right of the role, and what it must not give, asked of the authorizer. */
  readonly proof: readonly Proof[];
}

/** The objects of a template for one namespace. `group`: who holds a role made for people. */
export function instantiate(template: TemplateName, namespace: string, group: string | undefined): Instantiated {
  const { holder, rules, cannot }: TemplateRole = templates[template];
  const name = `ai-${template}`;
  const role: Role = {
    kind: "Role",
    namespace,
    name,
    labels: {},
    rules: rules.flatMap(ruleOf),
    aggregationSelectors: undefined,
    document: undefined,
  };
  const who = holder === "group" ? (group ?? `${namespace}-${template}`) : name;
  const binding: Binding = {
    kind: "RoleBinding",
    namespace,
    name,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [
      holder === "group"
        ? { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: who, namespace: "" }
        : { kind: "ServiceAccount", apiGroup: "", name: who, namespace },
    ],
    document: undefined,
  };
  const account: KubernetesObject = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: who, namespace },
    automountServiceAccountToken: false,
  };
  return {
    holder: holder === "group" ? `Group ${who}` : `ServiceAccount ${namespace}/${who}`,
    objects: [...(holder === "group" ? [] : [account]), roleManifest(role), bindingManifest(binding)],
    proof: proofOf(role, binding, cannot),
  };
}

/** One rule for each API group, so that no rule grants a resource of one group in another. */
function ruleOf([verbs, on]: RuleText): PolicyRule[] {
  const targets = on.split(",").map((text) => [text.slice(0, text.indexOf("/")), text.slice(text.indexOf("/") + 1)] as const);
  return [...Map.groupBy(targets, ([group]) => group)].map(([group, list]) => ({
    ...emptyRule,
    verbs: verbs.split(","),
    apiGroups: [group],
    resources: list.map(([, resource]) => resource),
  }));
}

function proofOf(role: Role, binding: Binding, cannot: readonly string[]): readonly Proof[] {
  const index = new RbacIndex();
  index.putRole(role);
  index.putBinding(binding);
  const [subject] = binding.subjects;
  const user = subject?.kind === "ServiceAccount" ? serviceAccountUser(role.namespace, subject.name) : "somebody";
  const groups = subject?.kind === "Group" ? [subject.name, "system:authenticated"] : effectiveGroups(user, []);
  const ask = (verb: string, target: string, namespace: string, expected: boolean): Proof => {
    const [apiGroup = "", resource = "", subresource = ""] = target.split("/");
    const request = {
      user,
      groups,
      verb,
      isResourceRequest: true,
      path: "",
      namespace,
      apiGroup,
      resource,
      subresource,
      name: "",
    };
    return {
      question: `${verb} ${target.replace(/^\//, "")}`,
      namespace,
      expected,
      answer: authorizeByRules(index, request).decision === "allow",
    };
  };
  const given = role.rules.flatMap((rule) =>
    rule.verbs.flatMap((verb) => rule.resources.map((resource) => [verb, `${rule.apiGroups[0]}/${resource}`] as const)),
  );
  return [
    ...given.map(([verb, target]) => ask(verb, target, role.namespace, true)),
    ...cannot.map((text) => ask(text.slice(0, text.indexOf(" ")), text.slice(text.indexOf(" ") + 1), role.namespace, false)),
    // Nothing counts in another namespace.
    ...given.slice(0, 1).map(([verb, target]) => ask(verb, target, `${role.namespace}-other`, false)),
  ];
}
