import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { memoryFiles } from "./test-files.testing.ts";
import { runTestFile } from "./test-run.ts";
import { allTests } from "./test-selection.ts";

const digest = `sha256:${"a".repeat(64)}`;
const policy = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: images}
spec:
  rules:
  - name: signed
    match: {any: [{resources: {kinds: [Pod], namespaces: [default]}}]}
    verifyImages:
    - imageReferences: ["ghcr.io/acme/*"]
      attestors: [{entries: [{keyless: {subject: "https://github.com/acme/*", issuer: "https://ci.example.com", rekor: {url: "https://rekor.example.com"}}}]}]
  - name: built
    match: {any: [{resources: {kinds: [Pod], namespaces: [built]}}]}
    verifyImages:
    - imageReferences: ["ghcr.io/acme/*"]
      mutateDigest: false
      verifyDigest: false
      attestations:
      - type: provenance
        attestors: [{entries: [{keys: {publicKeys: KEY-ONE}}]}]
        conditions: [{all: [{key: "{{ builder }}", operator: Equals, value: ci}]}]
  - name: rootless
    match: {any: [{resources: {kinds: [Pod], namespaces: [data]}}]}
    context: [{name: image, imageRegistry: {reference: "{{ request.object.spec.containers[0].image }}"}}]
    validate:
      message: no root
      deny: {conditions: {all: [{key: "{{ image.configData.config.User || '' }}", operator: Equals, value: ""}]}}
`;

const signing = `---
apiVersion: policies.kyverno.io/v1
kind: ImageValidatingPolicy
metadata: {name: cel}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  matchConditions: [{name: cel, expression: object.metadata.namespace == 'cel'}]
  validationConfigurations: {verifyDigest: false}
  attestors: [{name: ci, cosign: {keyless: {identities: [{issuer: "https://ci.example.com", subject: "https://github.com/acme/app"}]}}}]
  attestations: [{name: slsa, intoto: {type: provenance}}]
  validations:
  - {expression: "images.containers.all(i, verifyImageSignatures(i, [attestors.ci]) > 0)", message: not signed}
  - expression: "images.containers.all(i, verifyAttestationSignatures(i, attestations.slsa, [attestors.ci]) > 0 && extractPayload(i, attestations.slsa).predicate.builder == 'ci')"
    message: not built by us
`;

function outcomeOf(namespace: string, images: string, expected: string) {
  const pod = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ${namespace}}, spec: {containers: [{name: a, image: "ghcr.io/acme/app:v1"}]}}`;
  const body = `- {name: one, policy: p.yaml, resource: ${pod}, images: ${images}, expect: ${expected}}`;
  const files = memoryFiles({ "cases/a.yaml": body, "cases/p.yaml": policy + signing });
  const resources = loadKubernetesSchemas().resources();
  const [outcome] = runTestFile("cases/a.yaml", {
    files,
    resources,
    host: { now: () => 0, random: () => 0 },
    selection: allTests,
  });
  return [
    ...(outcome?.diagnostics ?? []).map((d) => d.message),
    ...(outcome?.rows ?? []).map((r) => `${r.outcome}: ${r.reason}`),
  ];
}

const app = (rest: string) => `[{image: "ghcr.io/acme/*", ${rest}}]`;
const built = (builder: string, signer: string) =>
  app(`attestations: [{type: provenance, predicate: {builder: ${builder}}, signedBy: [${signer}]}]`);

const celImage = (builder: string, signer: string) =>
  app(
    `digest: "${digest}", signedBy: ["${signer}"], attestations: [{type: provenance, predicate: {builder: ${builder}}, signedBy: ["${signer}"]}]`,
  );

describe("images of a test", () => {
  test.each<[string, string, string, string]>([
    ["signed by the attestor", "default", app(`digest: "${digest}", signedBy: ["https://github.com/acme/"]`), "{allowed: true}"],
    [
      "signed by nobody",
      "default",
      app(`digest: "${digest}"`),
      "{allowed: false, rule: signed, message: no matching signatures}",
    ],
    ["signed by someone else", "default", app(`digest: "${digest}", signedBy: [KEY-ONE]`), "{allowed: false, rule: signed}"],
    ["that nothing is known of", "default", "[]", "{rule: signed, status: error}"],
    [
      "spoken for under another name",
      "default",
      `[{image: "docker.io/*", signedBy: ["https:"]}]`,
      "{rule: signed, status: error}",
    ],
    ["with a statement", "built", built("ci", "KEY-ONE"), "{allowed: true}"],
    ["with a statement that says otherwise", "built", built("me", "KEY-ONE"), "{allowed: false, rule: built}"],
    ["with a statement of someone else", "built", built("ci", "KEY-TWO"), "{allowed: false, rule: built}"],
    ["without a statement", "built", app("signedBy: [KEY-ONE]"), "{allowed: false, rule: built}"],
    ["with data", "data", app("data: {configData: {config: {User: app}}}"), "{allowed: true}"],
    ["with data that are refused", "data", app("data: {configData: {config: {}}}"), "{allowed: false, message: no root}"],
    ["without data", "data", app("signedBy: [KEY-ONE]"), "{rule: rootless, status: error}"],
    ["signed, for CEL", "cel", celImage("ci", "https://github.com/acme/"), "{allowed: true}"],
    [
      "of another builder, for CEL",
      "cel",
      celImage("me", "https://github.com/acme/"),
      "{allowed: false, message: not built by us}",
    ],
    ["signed by someone else, for CEL", "cel", celImage("ci", "KEY"), "{allowed: false, message: not signed}"],
    ["that nothing is known of, for CEL", "cel", "[]", "{status: error, message: can only be looked up in its registry}"],
  ])("%s", (_, namespace, images, expected) => {
    expect(outcomeOf(namespace, images, expected)).toEqual(["pass: ok"]);
  });

  test("put the digest into the object", () => {
    const image = `ghcr.io/acme/app:v1@${digest}`;
    const passed = { [`ghcr.io/acme/app@${digest}`]: "pass" };
    const annotations = {
      "kyverno.io/verify-images": JSON.stringify(passed),
      "kyverno.io/verify-images-scoped": JSON.stringify({ version: 1, policies: { "/images": { signed: passed } } }),
    };
    const metadata = { name: "p", namespace: "default", annotations };
    const object = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "a", image }] } };
    const signed = app(`digest: "${digest}", signedBy: ["https://github.com/acme/"]`);
    expect(outcomeOf("default", signed, JSON.stringify({ object }))).toEqual(["pass: ok"]);
  });

  test("are told where they are misspelt", () => {
    expect(outcomeOf("default", "[{image: a, signed: [b]}]", "{allowed: true}").join()).toContain("signed");
  });
});
