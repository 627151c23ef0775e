import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startCluster } from "../cluster/start.ts";
import { runCli } from "../run-cli.ts";
import { until } from "./api-server.ts";

const directory = mkdtempSync(join(tmpdir(), "castellan-drift-"));
const auditLog = join(directory, "audit.log");
writeFileSync(
  join(directory, "audit-policy.yaml"),
  JSON.stringify({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  }),
);
const cluster = await startCluster({
  controllerManager: true,
  apiServerFlags: [`--audit-policy-file=${join(directory, "audit-policy.yaml")}`, `--audit-log-path=${auditLog}`],
});
afterAll(async () => {
  if (cluster.available) await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const kubeconfig = cluster.available ? cluster.kubeconfig : "";
const kubectl = (args: readonly string[], input = "") =>
  cluster.available
    ? execFileSync(cluster.kubectl, ["--kubeconfig", kubeconfig, ...args], { input, encoding: "utf8", stdio: "pipe" })
    : "";
const drift = (file: string, ...args: readonly string[]) =>
  runCli(["drift", file, "--kubeconfig", kubeconfig, "--data", join(directory, "none"), ...args]);

const rbac = "apiVersion: rbac.authorization.k8s.io/v1";
const role = `
---
${rbac}
kind: Role
metadata: {name: reader, namespace: NS}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]`;
const clusterRole = `
---
${rbac}
kind: ClusterRole
metadata: {name: NS-viewer}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]`;
const binding = (name: string, more = "", ref = "reader") => `
---
${rbac}
kind: RoleBinding
metadata: {name: ${name}, namespace: NS${more}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${ref}}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]`;
const clusterBinding = (name: string, more = "") => `
---
${rbac}
kind: ClusterRoleBinding
metadata: {name: "${name}"${more}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]`;
const networkPolicy = `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: NS}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}`;
const quota = (hard: string) => `
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: limits, namespace: NS}
spec: {hard: ${hard}}`;
const configMap = (name: string, data = "{a: b}") => `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: NS}
data: ${data}`;
const validation = (name: string) => `
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ${name}}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [things]}]}
  validations: [{expression: "true"}]`;
const definition = `
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.NS.example.com}
spec:
  group: NS.example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}`;
const widget = `
---
apiVersion: NS.example.com/v1
kind: Widget
metadata: {name: first, namespace: NS}
spec: {size: 1}`;

interface Found {
  /** `NS` is a namespace of the case's own. */
  readonly declared: string;
  readonly live?: string;
  readonly args?: readonly string[];
  readonly code: number;
  /** Lines of the answer. */
  readonly told?: readonly string[];
  readonly untold?: readonly string[];
}

const found: { readonly [name: string]: Found } = {
  "a binding where only a role is declared": {
    live: binding("backdoor"),
    declared: role,
    code: 1,
    told: [
      "rbac.authorization.k8s.io/v1/Role NS/reader is missing",
      "rbac.authorization.k8s.io/v1/RoleBinding NS/backdoor was not declared",
    ],
  },
  "a limit where only a quota is declared": {
    live: `{apiVersion: v1, kind: LimitRange, metadata: {name: odd, namespace: NS}, spec: {limits: []}}${quota("{pods: 5}")}`,
    declared: quota("{pods: 5}"),
    code: 1,
    told: ["v1/LimitRange NS/odd was not declared"],
  },
  "a binding where nobody declares any": {
    live: binding("mine") + networkPolicy,
    declared: networkPolicy,
    code: 0,
    untold: ["mine"],
  },
  "what has an owner is counted": {
    live: binding("made", ", ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: kube-root-ca.crt, uid: OWNER}]") + role,
    declared: role,
    code: 0,
    told: ["1 undeclared object with an owner left out: -o json lists them"],
    untold: ["NS/made"],
  },
  "a cluster-wide binding where a cluster role is declared, also by a reserved name; and not those of the API server": {
    live:
      clusterRole +
      clusterBinding("NS-backdoor") +
      clusterBinding("system:NS", ", labels: {kubernetes.io/bootstrapping: rbac-defaults}"),
    declared: clusterRole,
    code: 1,
    told: [
      "rbac.authorization.k8s.io/v1/ClusterRoleBinding NS-backdoor was not declared",
      "rbac.authorization.k8s.io/v1/ClusterRoleBinding system:NS was not declared",
    ],
    untold: [
      "ClusterRoleBinding cluster-admin",
      "system:controller:",
      "ClusterRole admin",
      "ClusterRoleBinding system:monitoring",
    ],
  },
  "a binding of the API server that gives somebody more": {
    live:
      clusterBinding("system:volume-scheduler").replace("name: cluster-admin}", "name: system:volume-scheduler}") + clusterRole,
    declared: clusterRole,
    code: 1,
    told: ["rbac.authorization.k8s.io/v1/ClusterRoleBinding system:volume-scheduler was not declared"],
  },
  "a policy beside a declared one": {
    live: validation("NS-mine") + validation("NS-other"),
    declared: validation("NS-mine"),
    code: 1,
    told: ["admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy NS-other was not declared"],
  },
  "items of a list, and objects that name no namespace": {
    declared: "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: plain}}]}",
    args: ["-n", "NS"],
    code: 1,
    told: ["v1/ConfigMap NS/plain is missing"],
  },
  "a version that is not the preferred one": {
    live: `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}`,
    declared: `
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 4}`,
    code: 1,
    told: ["autoscaling/v1/HorizontalPodAutoscaler NS/web is not as declared", "  replace spec.maxReplicas: 4"],
  },
  "a version that is not served": {
    declared: "{apiVersion: autoscaling/v2beta1, kind: HorizontalPodAutoscaler, metadata: {name: web, namespace: NS}}",
    code: 2,
    told: [
      "autoscaling/v2beta1/HorizontalPodAutoscaler NS/web could not be compared: the cluster serves no v2beta1 of this kind, but v2",
    ],
  },
  "a kind that is not served": {
    declared: "{apiVersion: example.com/v1, kind: Thing, metadata: {name: one}}",
    code: 2,
    told: ["example.com/v1/Thing one could not be compared: the cluster does not serve this kind"],
  },
  "a generated name, of which live objects are not undeclared": {
    live: role.replace("name: reader", "generateName: reader-"),
    declared: role.replace("name: reader", "generateName: reader-") + binding("mallory"),
    code: 2,
    told: [
      "rbac.authorization.k8s.io/v1/Role NS/reader-* could not be compared: its name is generated, so nobody knows which live object it is",
    ],
    untold: ["was not declared"],
  },
  "one object declared twice": {
    live: configMap("twice"),
    declared: configMap("twice") + configMap("twice", "{a: c}"),
    code: 2,
    told: ["v1/ConfigMap NS/twice could not be compared: it is declared twice, and the first one counts"],
  },
  "a namespace that is missing, with what is in it": {
    declared: `{apiVersion: v1, kind: Namespace, metadata: {name: NS-new}}${configMap("in").replace("NS", "NS-new")}`,
    code: 1,
    told: ["v1/Namespace NS-new is missing", "v1/ConfigMap NS-new/in is missing"],
  },
  "a kind that is declared beside its objects": {
    declared: widget + definition,
    code: 1,
    told: ["NS.example.com/v1/Widget NS/first is missing"],
  },
  "another role bound under the old name": {
    live: role + binding("readers", "", "admin"),
    declared: role + binding("readers"),
    code: 1,
    told: ["rbac.authorization.k8s.io/v1/RoleBinding NS/readers is not as declared", '  replace roleRef.name: "reader"'],
  },
  "a declared Secret, whose values are not shown": {
    live: "{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {token: old}}",
    declared: "{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {token: new}}",
    code: 1,
    told: ["v1/Secret NS/key is not as declared", "  replace data.token"],
    untold: ["bmV3", "b2xk"],
  },
};

interface Healed {
  readonly live?: string;
  /** What somebody does after that, with kubectl in the case's namespace. */
  readonly meddled?: readonly (readonly string[])[];
  readonly declared: string;
  readonly args?: readonly string[];
  readonly code: number;
  readonly told?: readonly string[];
  readonly error?: readonly string[];
  /** Of `castellan drift` after healing. */
  readonly after: number;
  readonly undo?: readonly string[];
}

const platform = role + binding("readers") + networkPolicy + quota('{pods: "5"}');

const healed: { readonly [name: string]: Healed } = {
  "what is missing": {
    declared: platform,
    code: 0,
    told: ["created rbac.authorization.k8s.io/v1/Role NS/reader"],
    after: 0,
  },
  "what was changed, taken out or added": {
    live: platform,
    meddled: [
      ["patch", "role", "reader", "--type=json", "-p", '[{"op":"replace","path":"/rules/0/verbs","value":["*"]}]'],
      ["patch", "resourcequota", "limits", "--type=json", "-p", '[{"op":"remove","path":"/spec/hard/pods"}]'],
      ["delete", "networkpolicy", "default-deny"],
      ["create", "rolebinding", "backdoor", "--clusterrole=admin", "--user=mallory"],
      ["label", "resourcequota", "limits", "team=nlp"],
    ],
    declared: platform,
    code: 0,
    told: [
      "created networking.k8s.io/v1/NetworkPolicy NS/default-deny",
      "changed rbac.authorization.k8s.io/v1/Role NS/reader",
      "deleted rbac.authorization.k8s.io/v1/RoleBinding NS/backdoor",
    ],
    after: 0,
  },
  "another role bound under the old name": {
    live: role + binding("readers", ", labels: {team: nlp}", "admin"),
    declared: role + binding("readers"),
    code: 0,
    told: ["deleted and made anew rbac.authorization.k8s.io/v1/RoleBinding NS/readers"],
    after: 0,
  },
  "a namespace with what is in it, whatever the order": {
    declared: `${(platform + configMap("in")).replaceAll("NS", "NS-new")}
---
{apiVersion: v1, kind: Namespace, metadata: {name: NS-new}}`,
    code: 0,
    told: ["created v1/Namespace NS-new", "created v1/ConfigMap NS-new/in"],
    after: 0,
    undo: ["# Deleting the namespace NS-new deletes all that others made in it since."],
  },
  "a kind with its objects, whatever the order": {
    declared: widget + definition,
    code: 0,
    told: [
      "created apiextensions.k8s.io/v1/CustomResourceDefinition widgets.NS.example.com",
      "created NS.example.com/v1/Widget NS/first",
    ],
    after: 0,
  },
  "a Secret": {
    live: "{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {token: old}}",
    declared: "{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: NS}, stringData: {token: new, more: field}}",
    code: 0,
    told: ["UNDO holds what was there before, and says how to put it back; it holds Secrets"],
    after: 0,
    undo: ["# It holds Secrets in clear text: keep it from others, and remove it when it is not needed."],
  },
  "what others deploy, what is cluster-wide and what has a reserved name stays": {
    live:
      role +
      clusterRole +
      binding("addon", ", labels: {app.kubernetes.io/managed-by: Helm}") +
      binding("system:puller") +
      binding("granted", ", labels: {castellan.dev/grant: g1}") +
      binding("backdoor") +
      clusterBinding("NS-backdoor"),
    declared: role + clusterRole,
    code: 1,
    told: [
      "deleted rbac.authorization.k8s.io/v1/RoleBinding NS/backdoor",
      "left rbac.authorization.k8s.io/v1/RoleBinding NS/addon: another program deploys it",
      "left rbac.authorization.k8s.io/v1/RoleBinding NS/system:puller: its name or label is one that Kubernetes keeps for itself",
      "left rbac.authorization.k8s.io/v1/RoleBinding NS/granted: it is the binding of an approved request, and goes when that ends",
      "left rbac.authorization.k8s.io/v1/ClusterRoleBinding NS-backdoor: it is cluster-scoped",
    ],
    after: 1,
  },
  "--delete none": {
    live: role + binding("backdoor"),
    declared: role,
    args: ["--delete", "none"],
    code: 1,
    told: ["left rbac.authorization.k8s.io/v1/RoleBinding NS/backdoor"],
    after: 1,
  },
  "--delete all, but what nothing deletes": {
    live:
      clusterRole +
      clusterBinding("NS-backdoor") +
      clusterBinding("system:NS") +
      role +
      binding("addon", ", labels: {olm.owner: x}"),
    declared: clusterRole + role,
    args: ["--delete", "all"],
    code: 1,
    told: [
      "deleted rbac.authorization.k8s.io/v1/ClusterRoleBinding NS-backdoor",
      "deleted rbac.authorization.k8s.io/v1/RoleBinding NS/addon",
      "left rbac.authorization.k8s.io/v1/ClusterRoleBinding system:NS: its name or label is one that Kubernetes keeps for itself",
    ],
    after: 1,
  },
  "what the server refuses as a dry run: nothing is changed": {
    declared: role + configMap("fine") + configMap("Not-a-name"),
    code: 2,
    told: ["would create v1/ConfigMap NS/fine", "Nothing was changed."],
    error: ["castellan: v1/ConfigMap NS/Not-a-name cannot be healed: "],
    after: 1,
  },
  "what the server refuses in the middle: it stops, and can be undone": {
    live: quota('{count/roles.rbac.authorization.k8s.io: "1"}'),
    // A dry run uses no quota up.
    declared: role + role.replace("reader", "second") + binding("last"),
    code: 2,
    told: ["created rbac.authorization.k8s.io/v1/Role NS/reader"],
    error: [
      "castellan: rbac.authorization.k8s.io/v1/Role NS/second cannot be healed: ",
      "castellan: stopped there: 1 of 3 objects are healed, and UNDO undoes them",
    ],
    after: 1,
  },
};

/** What the API server writes itself, and counts. */
const written = ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"];

/** All that the cases are about, as somebody declared it. */
function state(): unknown {
  const kinds = [
    "namespaces,clusterroles,clusterrolebindings,customresourcedefinitions,roles,rolebindings",
    "networkpolicies,resourcequotas,limitranges,configmaps,secrets",
  ].join(",");
  const { items } = JSON.parse(kubectl(["get", kinds, "--all-namespaces", "-o", "json"]));
  return items
    .map(({ status: _, metadata, ...rest }: { readonly status?: object; readonly metadata: object }) => {
      return { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !written.includes(key))) };
    })
    .filter(({ metadata }: { readonly metadata: { readonly name: string } }) => metadata.name !== "kube-root-ca.crt");
}

let cases = 0;

/** Makes a namespace of the case's own, and what is live; what it answers writes the case's texts and runs kubectl there. */
async function place(live: string) {
  const namespace = `case-${++cases}`;
  const inside = (text: string) => text.replaceAll("NS", namespace);
  kubectl(["create", "namespace", namespace]);
  const uid = () =>
    kubectl(["get", "configmap", "kube-root-ca.crt", "-n", namespace, "-o", "jsonpath={.metadata.uid}", "--ignore-not-found"]);
  const owner = await until(
    async () => uid(),
    (text) => text !== "",
  );
  // Else kubectl takes what begins with a brace for JSON.
  const manifest = `---\n${inside(live)}`.replaceAll("OWNER", owner);
  const generated = manifest.includes("generateName");
  if (live !== "")
    kubectl(generated ? ["create", "-f", "-"] : ["apply", "--server-side", "--force-conflicts", "-f", "-"], manifest);
  return { namespace, inside, kubectl: (args: readonly string[]) => kubectl(["-n", namespace, ...args]) };
}

function fileOf(name: string, text: string): string {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe.skipIf(!cluster.available)("drift of a live cluster", { timeout: 60_000 }, () => {
  test.each(Object.entries(found))(
    "found: %s",
    async (_name, { live = "", declared, args = [], code, told = [], untold = [] }) => {
      const { namespace, inside } = await place(live);
      const file = fileOf(`${namespace}.yaml`, inside(declared));
      const answer = await drift(file, ...args.map(inside));
      expect(answer.out.split("\n")).toEqual(expect.arrayContaining(told.map(inside)));
      for (const text of untold) expect(answer.out).not.toContain(inside(text));
      expect(answer.code, answer.err).toBe(code);
    },
  );

  test.each(Object.entries(healed))("healed and undone: %s", async (_name, one) => {
    const { live = "", meddled = [], declared, args = [], code, told = [], error = [], after, undo: said = [] } = one;
    const { namespace, inside, kubectl: run } = await place(live);
    for (const command of meddled) run(command);
    const file = fileOf(`${namespace}.yaml`, inside(declared));
    const undo = join(directory, `${namespace}-undo.yaml`);
    const lines = (texts: readonly string[]) => texts.map((text) => inside(text).replaceAll("UNDO", undo));
    const before = state();

    await drift(file, "--heal", ...args);
    expect(state()).toEqual(before);

    const answer = await drift(file, "--heal", "--yes", "--undo", undo, "--per-second", "50", ...args);
    expect(answer.out.split("\n")).toEqual(expect.arrayContaining(lines(told)));
    for (const line of lines(error)) expect(answer.err).toContain(line);
    expect(answer.code, answer.err).toBe(code);
    const again = await drift(file);
    expect(again.code, again.out).toBe(after);

    if (!answer.out.includes(undo)) return;
    expect(statSync(undo).mode & 0o777).toBe(0o600);
    const text = readFileSync(undo, "utf8");
    expect(text.split("\n")).toEqual(expect.arrayContaining(lines(said)));
    for (const [, command = ""] of text.matchAll(/^# {3}(kubectl .*)$/gm)) {
      execFileSync("sh", ["-c", command.replace("kubectl", cluster.available ? cluster.kubectl : "")], { stdio: "pipe" });
    }
    expect(state()).toEqual(before);
  });

  test("an undo is never written over, and without one nothing is changed", async () => {
    const { namespace, inside, kubectl: run } = await place("");
    const file = fileOf(`${namespace}.yaml`, inside(role));
    const undo = fileOf(`${namespace}-undo.yaml`, "before");
    const { code, err } = await drift(file, "--heal", "--yes", "--undo", undo);
    expect([code, err]).toEqual([3, expect.stringContaining("nothing was changed: cannot write")]);
    expect([readFileSync(undo, "utf8"), run(["get", "roles", "-o", "name"])]).toEqual(["before", ""]);
  });

  test("no more is changed than --at-most, nor faster than --per-second", async () => {
    const { namespace, inside, kubectl: run } = await place("");
    const file = fileOf(`${namespace}.yaml`, inside(["a", "b", "c"].map((name) => configMap(name)).join("")));
    const undo = join(directory, `${namespace}-undo.yaml`);
    expect(await drift(file, "--heal", "--yes", "--undo", undo, "--at-most", "2")).toMatchObject({ code: 3 });
    expect(run(["get", "configmap", "a", "--ignore-not-found"])).toBe("");
    const started = performance.now();
    expect(await drift(file, "--heal", "--yes", "--undo", undo, "--per-second", "2")).toMatchObject({ code: 0 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(1000);
  });

  test("where not all that is declared can be read, nothing undeclared is deleted", async () => {
    const { namespace, inside } = await place(binding("elsewhere"));
    fileOf(`${namespace}/role.yaml`, inside(role));
    fileOf(`${namespace}/broken.yaml`, "a: [");
    const undo = join(directory, `${namespace}-undo.yaml`);
    const { code, out, err } = await drift(join(directory, namespace), "--heal", "--yes", "--undo", undo);
    expect(err).toContain("castellan: not all that is declared could be read, so nothing undeclared is deleted");
    expect(out).toContain(inside("left rbac.authorization.k8s.io/v1/RoleBinding NS/elsewhere"));
    expect(code).toBe(2);
  });

  test("of a Git checkout the commit is told, and whether it is what is there", async () => {
    const { namespace, inside } = await place("");
    const file = fileOf(`${namespace}/config.yaml`, inside(configMap("one")));
    const checkout = dirname(file);
    const git = (...args: readonly string[]) =>
      execFileSync("git", ["-C", checkout, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { encoding: "utf8" });
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "desired");
    const commit = git("rev-parse", "HEAD").trim();
    expect((await drift(checkout)).out.split("\n")[0]).toBe(`${checkout} is at ${commit}`);
    fileOf(`${namespace}/more.yaml`, inside(configMap("two")));
    expect((await drift(checkout)).out.split("\n")[0]).toBe(`${checkout} is at ${commit}, with changes that are not committed`);
    const { checkouts } = JSON.parse((await drift(checkout, "-o", "json")).out);
    expect(checkouts).toEqual([{ checkout, commit, isDirty: true }]);
    // The file that was committed is as it was.
    expect((await drift(file)).out.split("\n")[0]).toBe(`${checkout} is at ${commit}`);
  });

  test("who changed it is told of this cluster, not of another one in the same ledger, and looking is no change", async () => {
    const { namespace, inside, kubectl: run } = await place(role);
    const as = ["--as", "ada@example.com", "--as-group", "system:masters"];
    run([...as, "patch", "role", "reader", "--type=json", "-p", '[{"op":"remove","path":"/rules/0/verbs/1"}]']);
    const file = fileOf(`${namespace}.yaml`, inside(role + binding("readers")));
    await drift(file);
    await drift(file, "--heal");
    const events = await until(
      async () =>
        readFileSync(auditLog, "utf8")
          .split("\n")
          .filter((line) => line.includes(namespace)),
      (lines) => lines.filter((line) => line.includes("dryRun=All")).length >= 3,
    );
    const here = fileOf("here.log", `${events.join("\n")}\n`);
    const other = fileOf("other.log", `${events.join("\n").replaceAll("ada@example.com", "trent@example.com")}\n`);
    const data = join(directory, "ledger");
    const ingest = (name: string, log: string) => runCli(["audit", "ingest", "--cluster", name, log, "--data", data]);
    expect(await ingest("staging", other)).toMatchObject({ code: 0 });
    const told = async (...args: readonly string[]) => {
      const { out, err } = await runCli(["drift", file, "--kubeconfig", kubeconfig, "--data", data, ...args]);
      return [out.split("\n")[0], err];
    };
    const changed = inside("rbac.authorization.k8s.io/v1/Role NS/reader is not as declared");
    expect(await told()).toEqual([
      changed,
      "castellan: the ledger knows nothing of admin, but of staging: say which with --on\n",
    ]);
    expect(await ingest("admin", here)).toMatchObject({ code: 0 });
    expect(await ingest("production", other)).toMatchObject({ code: 0 });
    const by = (user: string) => [expect.stringMatching(`^${changed}; last patch by ${user} at 20\\d\\d-`), ""];
    expect(await told()).toEqual(by("ada@example.com"));
    expect(await told("--on", "staging")).toEqual(by("trent@example.com"));
  });
});
