import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { type GovernedTestCluster, startGovernedCluster } from "../conformance/chainsaw/cluster.ts";
import { type RunningRegistry, repository, startRegistry, written } from "../registry/registry-process.ts";
import { Stand, soon } from "./governed-stand.ts";

/** Policies about images at admission, with a real registry and what cosign wrote to it. */
let cluster: GovernedTestCluster | undefined;
let registry: RunningRegistry | undefined;

beforeAll(async () => {
  const started = await startRegistry();
  if (!started.available) return;
  registry = started;
  const { type, text } = written.manifests.v1;
  await registry.put("unsigned", type, JSON.stringify({ ...JSON.parse(text), annotations: { signed: "no" } }));
  const root = join(await mkdtemp(join(tmpdir(), "castellan-")), "trusted_root.json");
  await writeFile(root, JSON.stringify(written.keyless.trustedRoot));
  cluster = await startGovernedCluster(["--allow-registry", `http://${registry.host}`, "--sigstore-trusted-root", root]);
}, 300_000);

afterAll(async () => {
  await cluster?.stop();
  registry?.stop();
});

const pod = (name: string, image: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image }] },
});

const keys = { publicKeys: written.publicKey, rekor: { ignoreTlog: true } };

const verifying = (name: string, entry: JsonObject): JsonObject => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: {
    background: false,
    rules: [
      {
        name: "signed",
        match: { any: [{ resources: { kinds: ["Pod"], namespaces: [name] } }] },
        verifyImages: [{ imageReferences: ["*"], failureAction: "Enforce", ...entry }],
      },
    ],
  },
});

async function standOf(name: string, policy: JsonObject): Promise<{ readonly stand: Stand; readonly image: string } | undefined> {
  if (cluster === undefined || registry === undefined) return undefined;
  const stand = new Stand(cluster, name);
  await stand.start();
  await stand.policy(policy);
  return { stand, image: `${registry.host}/${repository}` };
}

const imageOf = (object: JsonValue | undefined) => JSON.stringify(object).match(/"image":"([^"]*)"/)?.[1];

test("a signed image is let in by its digest, any other is not", async (context) => {
  const found = await standOf("signed", verifying("signed", { attestors: [{ entries: [{ keys }] }] }));
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect.poll(() => stand.refusal(pod("unsigned", `${image}:unsigned`)), soon).toContain("no signatures found");
  expect(await stand.refusal(pod("elsewhere", "ghcr.io/team/model:v1"))).toContain("--allow-registry ghcr.io");
  expect(await stand.refusal(pod("none", `${image}:none`))).toContain("HTTP status 404");
  await stand.write(pod("good", `${image}:v1`));
  expect(imageOf(await stand.find("Pod", "v1", "good"))).toBe(`${image}:v1@${written.image}`);
}, 60_000);

test("what nobody can check does not pass", async (context) => {
  const found = await standOf(
    "logged",
    verifying("logged", { attestors: [{ entries: [{ keys: { publicKeys: written.publicKey } }] }] }),
  );
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect.poll(() => stand.refusal(pod("good", `${image}:v1`)), soon).toContain("transparency logs are not asked");
}, 60_000);

test("conditions see what an attestation says", async (context) => {
  const attestations = (value: boolean) => [
    {
      type: "https://example.com/scan/v1",
      attestors: [{ entries: [{ keys }] }],
      conditions: [{ all: [{ key: "{{ ok }}", operator: "Equals", value }] }],
    },
  ];
  const found = await standOf("attested", verifying("attested", { attestations: attestations(false) }));
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect.poll(() => stand.refusal(pod("good", `${image}:v1`)), soon).toContain("attestation");
  await stand.policy(verifying("attested", { attestations: attestations(true) }));
  await expect.poll(() => stand.refusal(pod("good", `${image}:v1`)), soon).toBeUndefined();
}, 60_000);

const issuer = "https://token.actions.githubusercontent.com";

test("who signed it counts, as an authority and its logs say", async (context) => {
  const rekor = { url: "https://rekor.sigstore.dev" };
  const by = (subject: string) => verifying("named", { attestors: [{ entries: [{ keyless: { issuer, subject, rekor } }] }] });
  const found = await standOf("named", by("https://github.com/acme/web/*"));
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect
    .poll(() => stand.refusal(pod("good", `${image}:keyless`)), soon)
    .toContain("signed by https://github.com/acme/models");
  await stand.policy(by("https://github.com/acme/models/*"));
  await expect.poll(() => stand.refusal(pod("good", `${image}:keyless`)), soon).toBeUndefined();
  expect(await stand.refusal(pod("by-key", `${image}:v1`))).toContain("without a certificate");
}, 60_000);

const expressed = (name: string, cosign: JsonObject): JsonObject => ({
  apiVersion: "policies.kyverno.io/v1",
  kind: "ImageValidatingPolicy",
  metadata: { name },
  spec: {
    validationActions: ["Deny"],
    matchConstraints: {
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
    },
    matchImageReferences: [{ glob: "*" }],
    attestors: [{ name: "team", cosign }],
    validations: [
      {
        expression: "images.containers.all(image, verifyImageSignatures(image, [attestors.team]) > 0)",
        message: "images have to be signed",
      },
    ],
  },
});

test("the CEL kind by an identity", async (context) => {
  const subjectRegExp = "^https://github.com/acme/";
  const found = await standOf("identified", expressed("identified", { keyless: { identities: [{ issuer, subjectRegExp }] } }));
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect.poll(() => stand.refusal(pod("unsigned", `${image}:unsigned`)), soon).toContain("images have to be signed");
  await expect.poll(() => stand.refusal(pod("good", `${image}:keyless`)), soon).toBeUndefined();
}, 60_000);

test("the CEL kind", async (context) => {
  const key = { data: written.publicKey };
  const found = await standOf("expressed", expressed("expressed", { key, ctlog: { insecureIgnoreTlog: true } }));
  if (found === undefined) return context.skip("no control plane or no registry can be had");
  const { stand, image } = found;
  await expect.poll(() => stand.refusal(pod("unsigned", `${image}:unsigned`)), soon).toContain("images have to be signed");
  await expect.poll(() => stand.refusal(pod("good", `${image}:v1`)), soon).toBeUndefined();
}, 60_000);
