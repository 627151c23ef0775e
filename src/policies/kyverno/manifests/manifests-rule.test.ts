import { describe, expect, test } from "vitest";
import type { Facts, SignedMessageNeed } from "../../../core/facts.ts";
import { runRules } from "../policy-run.testing.ts";

const key = (name: string) => `"-----BEGIN PUBLIC KEY-----\\n${name}\\n-----END PUBLIC KEY-----"`;
const entry = (name: string) => `{keys: {publicKeys: ${key(name)}}}`;
const both = `attestors: [{entries: [${entry("ada")}, ${entry("bob")}]}]`;
const byKey = `attestors: [{entries: [${entry("ada")}]}]`;
const oneOf = `attestors: [{count: 1, entries: [${entry("ada")}, ${entry("bob")}]}]`;

const rule = (manifests: string) => `
- name: check
  match: {any: [{resources: {kinds: [Service]}}]}
  validate: {manifests: {${manifests}}}
`;

const ports = "{port: 80}";
const signed = `apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {app: web}}\nspec: {ports: [${ports}]}\n`;
const service = (annotations: readonly string[], more = "", spec = `ports: [${ports}]`) =>
  `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, labels: {app: web}, ` +
  `annotations: {${annotations.join(", ")}}${more}}, spec: {${spec}}}`;

const domain = "cosign.sigstore.dev";
const message = `${domain}/message: bWVzc2FnZQ==`;
const byAda = [message, `${domain}/signature: ada`];
const byBoth = [...byAda, `${domain}/signature_1: bob`];

/** Each signs with their own name. */
const facts = (texts: readonly string[] = [signed]): Facts => ({
  get(need) {
    const { signatures, publicKey } = need as SignedMessageNeed;
    const verified = signatures.includes(publicKey.split("\n")[1] ?? "");
    return { ok: true, value: { verified, reason: verified ? "" : "invalid signature", texts: verified ? texts : [] } };
  },
});

function outcome(manifests: string, object: string, texts?: readonly string[]) {
  const [result] = runRules(rule(manifests), object, { facts: facts(texts) }).results;
  return `${result?.status}: ${result?.message}`;
}

describe("an object is what was signed", () => {
  test.each<[string, string, string, RegExp]>([
    ["by one of two", oneOf, service(byAda), /^pass/],
    ["by both", both, service(byBoth), /^pass/],
    ["by one, where two are asked for", both, service(byAda), /^error: .*entries\[1\]\.keys: failed to verify signature/],
    ["by nobody", oneOf, service([]), /^fail: .*entries\[0\]\.keys: message not found/],
    ["without a signature", oneOf, service([message]), /^fail: .*signature not found/],
    ["by a stranger", oneOf, service([message, `${domain}/signature: eve`]), /^error: .*invalid signature/],
    [
      "and has what clusters add",
      byKey,
      service(byAda, ", uid: u, resourceVersion: '1'", `ports: [${ports}], clusterIP: 10.0.0.1`),
      /^pass/,
    ],
    ["but for a port", byKey, service(byAda, "", "ports: [{port: 81}]"), /^fail: .*spec\.ports\.0\.port: signed 80, found 81/],
    ["but for one more port", byKey, service(byAda, "", `ports: [${ports}, {port: 81}]`), /^fail: .*signed nothing, found 81/],
    ["but for a type", byKey, service(byAda, "", "ports: [{port: '80'}]"), /^fail/],
    [
      "but for a field that may differ",
      `${byKey}, ignoreFields: [{fields: [spec.ports.*], objects: [{kind: Service}]}]`,
      service(byAda, "", "ports: [{port: 81}]"),
      /^pass/,
    ],
    [
      "but for a field that may differ in others",
      `${byKey}, ignoreFields: [{fields: [spec.ports.*], objects: [{kind: Pod}]}]`,
      service(byAda, "", "ports: [{port: 81}]"),
      /^fail/,
    ],
    [
      "in annotations of another domain",
      `${byKey}, annotationDomain: x.io`,
      service(["x.io/message: bQ==", "x.io/signature: ada"]),
      /^pass/,
    ],
    [
      "in annotations of the usual domain, where another is asked for",
      `${byKey}, annotationDomain: x.io`,
      service(byAda),
      /^fail: .*message not found/,
    ],
  ])("%s", (_, manifests, object, expected) => expect(outcome(manifests, object)).toMatch(expected));

  test("of the same name", () => {
    const elsewhere = signed.replace("name: web", "name: api");
    expect(outcome(byKey, service(byAda), [elsewhere, signed])).toMatch(/^pass/);
    expect(outcome(byKey, service(byAda), [elsewhere])).toMatch(/^fail: .*metadata\.name: signed api, found web/);
    expect(outcome(byKey, service(byAda), ["kind: ConfigMap"])).toMatch(/^fail: .*failed to find a YAML manifest/);
  });

  test.each<[string, string]>([
    ["beside it", 'ports: [{port: 81}], "ports.0.port": 80'],
    ["in its place", '"ports.0.port": 80'],
    ["that holds an ignored path", `ports: [${ports}], selector: {status: evil, "metadata.uid": evil}`],
    ["that begins like one", `ports: [${ports}], selector: {"spec.clusterIP": evil}`],
  ])("and not by a member with a name like a path %s", (_, spec) => {
    expect(outcome(byKey, service(byAda, "", spec))).toMatch(/^fail: .*diff found/);
  });

  test("and not by a member without a name that holds what was signed", () => {
    const evil = `apiVersion: v1, kind: Service, metadata: {name: web, labels: {app: web}, annotations: {${byAda.join(", ")}}}`;
    const object = `{${evil}, spec: {ports: [{port: 81}]}, "": {spec: {ports: [${ports}]}}}`;
    expect(outcome(byKey, object)).toMatch(/^fail: .*spec\.ports\.0\.port: signed 80, found 81/);
  });

  test("in annotations of a domain of one's own, whatever the usual ones say", () => {
    const own = ["x.io/message: bQ==", "x.io/signature: ada"];
    expect(outcome(`${byKey}, annotationDomain: x.io`, service([...own, ...byAda]))).toMatch(/^pass/);
  });

  test("whatever is in the templates of pods that clusters fill in", () => {
    const pod = "template: {spec: {containers: [{name: a, image: x}]}}";
    const filled =
      "template: {spec: {containers: [{name: a, image: 'x:latest', imagePullPolicy: Always}], dnsPolicy: ClusterFirst}}";
    const workload = signed.replace(`ports: [${ports}]`, pod);
    expect(outcome(byKey, service(byAda, "", filled), [workload])).toMatch(/^pass/);
  });

  test.each<[string, string, string, RegExp]>([
    ["items of a list in their order", "ports: [{port: 80}, {port: 81}]", "ports: [{port: 80}, {port: 81}]", /^pass/],
    ["items of a list in another order", "ports: [{port: 80}, {port: 81}]", "ports: [{port: 81}, {port: 80}]", /^fail/],
    ["an item without a value", "ingress: []", "ingress: [{}]", /^fail: .*ingress\.0: signed nothing, found an item/],
    ["an item whose lists are empty", "ingress: []", "ingress: [{from: []}]", /^fail/],
    ["an empty text in a list", "groups: [apps]", "groups: [apps, '']", /^fail/],
    ["an empty text elsewhere", "host: x", "host: x, path: ''", /^pass/],
    ["a name that a cluster fills in", "host: x", "host: x, typeName: default", /^pass/],
    ["a name that was signed", "host: x, typeName: low", "host: x, typeName: high", /^fail/],
  ])("with %s", (_, before, after, expected) => {
    expect(outcome(byKey, service(byAda, "", after), [signed.replace(`ports: [${ports}]`, before)])).toMatch(expected);
  });
});

test("of many entries that nobody signed the first are told", () => {
  const env = Array.from({ length: 20_000 }, (_, i) => `{name: n${i}, value: v${i}}`).join(", ");
  const told = outcome(byKey, service(byAda, "", `ports: [${ports}], env: [${env}]`));
  expect(told).toMatch(/^fail: .*and 39990 more$/);
  expect(told.length).toBeLessThan(2000);
});

describe("what cannot be checked is an error", () => {
  test.each([
    ["an object of very many fields", `args: [${"x, ".repeat(60_000)}x]`],
    ["a path that is very long", `${"k".repeat(17_000)}: x`],
  ])("%s", (_, spec) => {
    expect(outcome(byKey, service(byAda, "", spec))).toMatch(/^error: .*too large/);
  });

  test("a message that is not YAML", () => {
    expect(outcome(byKey, service(byAda), ["a: ["])).toMatch(/^error: .*is not YAML/);
  });

  test.each<[string, string, readonly string[], string]>([
    ["a key in a Secret", "attestors: [{entries: [{keys: {publicKeys: 'k8s://ns/key'}}]}]", byAda, "public keys in PEM only"],
    [
      "an identity",
      "attestors: [{entries: [{keyless: {issuer: i, subject: s, rekor: {url: u}}}]}]",
      byAda,
      "public keys in PEM only",
    ],
    ["a repository of signatures", `${oneOf}, repository: ghcr.io/x`, byAda, "kept in a registry"],
    ["a reference to a registry", oneOf, [...byAda, `${domain}/resourceBundleRef: ghcr.io/x`], "kept in a registry"],
    ["a transparency log", oneOf, [...byAda, `${domain}/bundle: b`], "bundle of a transparency log"],
    [
      "an annotation that is asked for",
      `attestors: [{entries: [{annotations: {a: b}, keys: {publicKeys: ${key("ada")}}}]}]`,
      byAda,
      "annotations mismatch",
    ],
  ])("%s", (_, manifests, annotations, reason) =>
    expect(outcome(manifests, service(annotations))).toMatch(new RegExp(`^error: .*${reason}`)),
  );
});
