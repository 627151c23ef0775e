import { describe, expect, test } from "vitest";
import type { Fact, Facts, Need } from "../../../core/facts.ts";
import { NeedsFacts } from "../../../core/facts.ts";
import type { JsonValue } from "../../../core/json.ts";
import { valueAt } from "../../../core/json.ts";
import { runRules } from "../policy-run.testing.ts";

const digest = `sha256:${"a".repeat(64)}`;
const pinned = `ghcr.io/acme/web:1@${digest}`;
const podOf = (image: string, metadata = "name: web, namespace: nlp") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec:\n  containers:\n  - {name: a, image: "${image}"}\n`;

/** Answers image verifications by the attestor's key, identity or predicate type. */
function factsOf(answers: { readonly [who: string]: Fact | boolean }, asked: Need[] = []): Facts {
  return {
    get(need) {
      asked.push(need);
      if (need.kind === "image") return { ok: true, value: { resolvedImage: `${need.reference}@${digest}` } };
      if (need.kind !== "image-verification") return { ok: false, message: "not here" };
      const text = JSON.stringify(need.spec);
      const who = Object.keys(answers).find((name) => text.includes(name));
      const answer = who === undefined ? undefined : answers[who];
      if (typeof answer !== "boolean") return answer;
      return { ok: true, value: answer ? { verified: true, digest } : { verified: false, message: "no matching signatures" } };
    },
  };
}

const value = (value: JsonValue): Fact => ({ ok: true, value });

function verify(
  entry: string,
  image = "ghcr.io/acme/web:1",
  options: Parameters<typeof runRules>[2] = {},
  object = podOf(image),
) {
  return runRules(`- name: r\n  match: {any: [{resources: {kinds: [Pod]}}]}\n  verifyImages:\n  - ${entry}\n`, object, options);
}

const keys = (...names: readonly string[]) => names.map((name) => `{keys: {publicKeys: ${name}}}`).join(", ");
const signed = (names: readonly string[], rest = "") =>
  `{imageReferences: ["ghcr.io/acme/*"], attestors: [{entries: [${keys(...names)}]${rest}}]}`;
const imageOf = (run: ReturnType<typeof runRules>) => valueAt(run.object, ["spec", "containers", 0, "image"]);
const rows = (run: ReturnType<typeof runRules>) => run.results.map((r) => [r.status, r.message]);

describe("signatures", () => {
  test("a verified image passes, gets its digest, and its note satisfies the check", () => {
    const asked: Need[] = [];
    const run = verify(signed(["KEY1"]), undefined, { facts: factsOf({ KEY1: true }, asked) });
    expect(rows(run)).toEqual([
      ["pass", "verified image signatures for ghcr.io/acme/web:1"],
      ["pass", "image verified"],
    ]);
    expect(imageOf(run)).toBe(pinned);
    expect(run.results[0]?.locate?.()).toEqual(["spec", "containers", 0, "image"]);
    expect(run.object?.metadata?.annotations).toEqual({
      "kyverno.io/verify-images": JSON.stringify({ [`ghcr.io/acme/web@${digest}`]: "pass" }),
      "kyverno.io/verify-images-scoped": JSON.stringify({
        version: 1,
        policies: { "/p": { r: { [`ghcr.io/acme/web@${digest}`]: "pass" } } },
      }),
    });
    expect(asked[0]).toEqual({
      kind: "image-verification",
      reference: "ghcr.io/acme/web:1",
      spec: { check: "signature", type: "Cosign", keys: { publicKeys: "KEY1" }, pullSecrets: [] },
    });
  });

  test("an image without a good signature fails, and so does the check", () => {
    expect(rows(verify(signed(["KEY1"]), pinned, { facts: factsOf({ KEY1: false }) }))).toEqual([
      ["fail", `failed to verify image ghcr.io/acme/web@${digest}: .attestors[0].entries[0].keys: no matching signatures`],
      ["fail", `unverified image ghcr.io/acme/web@${digest}`],
    ]);
  });

  test("a verification that nobody could make is an error, never a pass", () => {
    const run = verify(signed(["KEY1"]), pinned, { facts: factsOf({ KEY1: { ok: false, message: "no network" } }) });
    expect(rows(run)).toEqual([
      ["error", `failed to verify image ghcr.io/acme/web@${digest}: .attestors[0].entries[0].keys: no network`],
      ["fail", `unverified image ghcr.io/acme/web@${digest}`],
    ]);
    expect(run.object?.metadata?.annotations).toBeUndefined();
  });

  const notedBy = (image: string) => JSON.stringify({ version: 1, policies: { "/p": { r: { [image]: "pass" } } } });
  const forged = podOf(
    pinned,
    `name: web, annotations: {kyverno.io/verify-images-scoped: '${notedBy(`ghcr.io/acme/web@${digest}`)}'}`,
  );
  const unreachable: Fact = { ok: false, message: "no network" };

  test("what a request brings as a note does not stand in for a verification that nobody could make", () => {
    const run = verify(signed(["KEY1"]), pinned, { facts: factsOf({ KEY1: unreachable }), channel: "admission" }, forged);
    expect(run.results.map((r) => r.status)).toEqual(["error", "fail"]);
  });

  test("a scan trusts what an admission noted", () => {
    const run = verify(signed(["KEY1"]), pinned, { facts: factsOf({ KEY1: unreachable }) }, forged);
    expect(run.results.map((r) => r.status)).toEqual(["error", "pass"]);
  });

  test.each([
    ["one of two that are wanted refuses", signed(["KEY1", "KEY2"]), "fail"],
    ["the other of which one is enough could not be asked", signed(["KEY1", "KEY2"], ", count: 1"), "error"],
    [
      "one of two sets refuses",
      `{imageReferences: ["*"], attestors: [{entries: [${keys("KEY2")}]}, {entries: [${keys("KEY1")}]}]}`,
      "fail",
    ],
  ])("%s: what could not be asked is an error where it would have mattered", (_, entry, status) => {
    const facts = factsOf({ KEY1: false, KEY2: unreachable });
    expect(verify(entry, pinned, { facts }).results[0]?.status).toBe(status);
  });

  test("all attestors are asked for at once, and the digest of images that need none else", () => {
    const facts: Facts = { get: () => undefined };
    const needs = (entry: string): readonly Need[] => {
      try {
        verify(entry, undefined, { facts });
        return [];
      } catch (error) {
        if (error instanceof NeedsFacts) return error.needs;
        throw error;
      }
    };
    expect(needs(signed(["KEY1", "KEY2"]))).toHaveLength(2);
    expect(needs(`{imageReferences: ["*"]}`)).toEqual([{ kind: "image", reference: "ghcr.io/acme/web:1" }]);
  });

  const no: Fact = { ok: false, message: "no network" };
  test.each<[string, string, { readonly [key: string]: Fact | boolean }, string]>([
    ["all entries by default", signed(["KEY1", "KEY2"]), { KEY1: true, KEY2: false }, "fail"],
    ["one of two", signed(["KEY1", "KEY2"], ", count: 1"), { KEY1: false, KEY2: true }, "pass"],
    ["one of two, and one unknown", signed(["KEY1", "KEY2"], ", count: 1"), { KEY1: no, KEY2: true }, "pass"],
    ["too few, because one is unknown", signed(["KEY1", "KEY2"], ", count: 1"), { KEY1: no, KEY2: false }, "error"],
    [
      "several keys in one text",
      `{imageReferences: ["*"], attestors: [{count: 1, entries: [{keys: {publicKeys: "K1-----END PUBLIC KEY-----\\nK2-----END PUBLIC KEY-----\\n"}}]}]}`,
      { K1: false, K2: true },
      "pass",
    ],
    [
      "nested sets",
      `{imageReferences: ["*"], attestors: [{entries: [{keys: {publicKeys: KEY1}}, {attestor: {count: 1, entries: [${keys("KEY2", "KEY3")}]}}]}]}`,
      { KEY1: true, KEY2: false, KEY3: true },
      "pass",
    ],
    [
      "two sets",
      `{imageReferences: ["*"], attestors: [{entries: [${keys("KEY1")}]}, {entries: [${keys("KEY2")}]}]}`,
      { KEY1: true, KEY2: false },
      "fail",
    ],
    [
      "keyless",
      `{imageReferences: ["*"], attestors: [{entries: [{keyless: {issuer: ISS, subject: me, rekor: {url: "https://r"}}}]}]}`,
      { ISS: true },
      "pass",
    ],
    ["the deprecated key", `{image: "*", key: KEY1}`, { KEY1: true }, "pass"],
    [
      "certificates of Notary",
      `{type: Notary, imageReferences: ["*"], attestors: [{entries: [{certificates: {cert: CERT}}]}]}`,
      { '"type":"Notary"': true },
      "pass",
    ],
  ])("%s", (_, entry, answers, status) => {
    expect(verify(entry, pinned, { facts: factsOf(answers) }).results[0]?.status).toBe(status);
  });

  test("images that no entry names are not looked at; those to be skipped are", () => {
    const facts = factsOf({ KEY1: true });
    expect(verify(signed(["KEY1"]), "docker.io/nginx:1", { facts }).results).toEqual([]);
    const run = verify(
      `{imageReferences: ["*"], skipImageReferences: ["ghcr.io/acme/*"], mutateDigest: false, verifyDigest: false, attestors: [{entries: [${keys("KEY1")}]}]}`,
      undefined,
      { facts },
    );
    expect(rows(run)).toEqual([
      ["skip", "skipping image reference image ghcr.io/acme/web:1, policy p ruleName r"],
      ["skip", "image skipped, skipped images: ghcr.io/acme/web:1"],
    ]);
  });

  test("variables in attestors are resolved", () => {
    const entry = `{imageReferences: ["*"], attestors: [{entries: [{keys: {publicKeys: "KEY-{{ request.object.metadata.name }}"}}]}]}`;
    expect(verify(entry, pinned, { facts: factsOf({ "KEY-web": true }) }).results[0]?.status).toBe("pass");
    const broken = verify(entry.replace("metadata.name", "none"), pinned, { facts: factsOf({}) });
    expect(broken.results[0]?.message).toContain("failed to substitute variables: failed to resolve request.object.none");
  });

  test("what did not change since it was verified is not asked about again", () => {
    const before = verify(signed(["KEY1"]), pinned, { facts: factsOf({ KEY1: true }) }).object;
    const annotations = JSON.stringify(before?.metadata?.annotations);
    const oldObject = podOf(pinned, `name: web, namespace: nlp, annotations: ${annotations}`);
    const asked: Need[] = [];
    const run = verify(signed(["KEY1"]), pinned, { facts: factsOf({}, asked), operation: "UPDATE", oldObject });
    expect(run.results.map((r) => r.status)).toEqual(["pass", "pass"]);
    expect(asked).toEqual([]);
  });
});

describe("digests and required images", () => {
  test.each([
    [
      "no digest",
      `{imageReferences: ["*"], mutateDigest: false, required: false}`,
      "ghcr.io/acme/web:1",
      [["fail", "missing digest for ghcr.io/acme/web:1"]],
    ],
    ["a digest", `{imageReferences: ["*"], mutateDigest: false, required: false}`, pinned, [["pass", "image verified"]]],
    [
      "required without attestors",
      `{imageReferences: ["*"], mutateDigest: false, verifyDigest: false}`,
      "nginx",
      [["fail", "unverified image docker.io/nginx:latest"]],
    ],
    ["nothing to check", `{imageReferences: ["*"], mutateDigest: false, verifyDigest: false, required: false}`, "nginx", []],
    [
      "a digest to look up",
      `{imageReferences: ["*"], required: false}`,
      "ghcr.io/acme/web:1",
      [
        ["pass", "mutated image digest"],
        ["pass", "image verified"],
      ],
    ],
  ])("%s", (_, entry, image, expected) => {
    expect(rows(verify(entry, image, { facts: factsOf({}) }))).toEqual(expected);
  });

  test("a digest that cannot be looked up is an error", () => {
    const run = verify(`{imageReferences: ["*"], required: false}`);
    expect(rows(run)).toEqual([
      ["error", "failed to update digest: no facts in this test"],
      ["fail", "missing digest for ghcr.io/acme/web:1"],
    ]);
  });

  test("the call that validates sets no digest: what is stored has none", () => {
    const options = { facts: factsOf({ KEY1: true }), channel: "admission", settled: true } as const;
    expect(rows(verify(signed(["KEY1"]), undefined, options))).toEqual([
      ["pass", "verified image signatures for ghcr.io/acme/web:1"],
      ["fail", "missing digest for ghcr.io/acme/web:1"],
    ]);
  });

  test("an image that is no reference is an error", () => {
    expect(verify(`{imageReferences: ["*"]}`, "UPPER CASE").results.map((r) => r.status)).toEqual(["error", "error"]);
  });

  test("a note in the object does not count where nothing verifies", () => {
    const note = JSON.stringify({ version: 1, policies: { "/p": { r: { [`ghcr.io/acme/web@${digest}`]: "pass" } } } });
    const forged = podOf(pinned, `name: web, annotations: {kyverno.io/verify-images-scoped: '${note}'}`);
    expect(rows(verify(`{imageReferences: ["*"]}`, pinned, {}, forged))).toEqual([
      ["fail", `unverified image ghcr.io/acme/web@${digest}`],
    ]);
  });

  test("images of custom resources stand where the extractors say", () => {
    const rule = `
- name: r
  match: {any: [{resources: {kinds: [Task]}}]}
  imageExtractors: {Task: [{path: /spec/steps/*, value: ref, key: name, jmesPath: "trim_prefix(@, 'docker://')"}]}
  verifyImages: [{imageReferences: ["*"], mutateDigest: false, required: false}]
`;
    const task = (ref: string) =>
      `apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec: {steps: [{name: s, ref: "${ref}"}]}`;
    expect(rows(runRules(rule, task("docker://ghcr.io/acme/web:1")))).toEqual([
      ["fail", "missing digest for ghcr.io/acme/web:1"],
    ]);
    expect(rows(runRules(rule, task(`docker://${pinned}`)))).toEqual([["pass", "image verified"]]);
  });
});

describe("attestations", () => {
  const entry = (rest = "") =>
    `{imageReferences: ["*"], required: false, attestations: [{type: scan, attestors: [{entries: [${keys("KEY1")}]}]${rest}}]}`;
  const statements = (...scores: readonly number[]): Fact =>
    value({ verified: true, digest, statements: scores.map((score) => ({ type: "scan", predicate: { score } })) });
  const low = ', conditions: [{all: [{key: "{{ score }}", operator: LessThan, value: 5}]}]';

  test.each<[string, string, Fact, string, string]>([
    ["without conditions", entry(), statements(9), "pass", `verified image attestations for ghcr.io/acme/web@${digest}`],
    ["conditions that hold", entry(low), statements(1, 2), "pass", `verified image attestations for ghcr.io/acme/web@${digest}`],
    [
      "conditions that one statement fails",
      entry(low),
      statements(1, 7),
      "fail",
      "verifiedCount: 0, requiredCount: 1, error: .attestations[0].attestors[0].entries[0]: attestation checks failed",
    ],
    [
      "a variable that the predicate lacks",
      entry(', conditions: [{all: [{key: "{{ none }}", operator: Equals, value: 5}]}]'),
      statements(1),
      "fail",
      "failed to check attestations",
    ],
    [
      "no statement of the type",
      entry(),
      value({ verified: true, digest, statements: [{ type: "sbom", predicate: {} }] }),
      "fail",
      "attestations not found for predicate type scan",
    ],
    ["a bad signature", entry(), value({ verified: false, message: "nobody signed" }), "fail", "nobody signed"],
    ["nobody to ask", entry(), { ok: false, message: "no network" }, "error", "no network"],
  ])("%s", (_, spec, answer, status, message) => {
    const [result] = verify(spec, pinned, { facts: factsOf({ KEY1: answer }) }).results;
    expect(result?.status).toBe(status);
    expect(result?.message).toContain(message);
  });

  test("the digest of a signature is what the attestation is looked up by", () => {
    const asked: Need[] = [];
    const both = `{imageReferences: ["*"], required: false, attestors: [{entries: [${keys("KEY1")}]}], attestations: [{type: scan}]}`;
    const facts = factsOf({ KEY1: true, scan: statements(1) }, asked);
    const run = verify(both, undefined, { facts });
    expect(run.results[0]?.status).toBe("pass");
    expect(asked.at(-1)).toMatchObject({
      reference: `ghcr.io/acme/web@${digest}`,
      spec: { check: "attestation", predicateType: "scan" },
    });
    expect(imageOf(run)).toBe(pinned);
  });

  test.each([
    [1, "pass", "verifyImages validation is passed in r rule"],
    [8, "fail", "validation in verifyImages failed: score 8 is too high"],
  ])("a denial over named attestations: score %d", (score, status, message) => {
    const spec = `{imageReferences: ["*"], required: false, validate: {message: "score {{ report.score }} is too high", deny: {conditions: {any: [{key: "{{ report.score }}", operator: GreaterThan, value: 5}]}}}, attestations: [{type: scan, name: report, attestors: [{entries: [${keys("KEY1")}]}]}]}`;
    const [result] = verify(spec, pinned, { facts: factsOf({ KEY1: statements(score) }) }).results;
    expect([result?.status, result?.message]).toEqual([status, message]);
  });
});

test.each([
  ["no references", "{key: KEY1}", "needs imageReferences"],
  ["an unknown type", `{imageReferences: ["*"], type: Docker}`, "must be one of Cosign"],
  ["no entries", `{imageReferences: ["*"], attestors: [{entries: []}]}`, "needs entries"],
  ["a negative count", `{imageReferences: ["*"], attestors: [{count: -1, entries: [{keys: {kms: k}}]}]}`, "whole number"],
  ["too high a count", `{imageReferences: ["*"], attestors: [{count: 2, entries: [{keys: {kms: k}}]}]}`, "cannot exceed"],
  ["an attestor that is nothing", `{imageReferences: ["*"], attestors: [{entries: [{repository: r}]}]}`, "exactly one of keys"],
  [
    "keys without a key",
    `{imageReferences: ["*"], attestors: [{entries: [{keys: {signatureAlgorithm: sha256}}]}]}`,
    "needs publicKeys, kms or secret",
  ],
  ["keyless without roots", `{imageReferences: ["*"], attestors: [{entries: [{keyless: {issuer: i}}]}]}`, "needs rekor or roots"],
  [
    "keys for Notary",
    `{imageReferences: ["*"], type: Notary, attestors: [{entries: [{keys: {kms: k}}]}]}`,
    "is not allowed for type Notary",
  ],
  ["an attestation without a type", `{imageReferences: ["*"], attestations: [{name: a}]}`, "needs a type"],
])("%s is reported", (_, entry, message) => {
  const run = verify(entry);
  expect(run.diagnostics.map((d) => d.message).join()).toContain(message);
  expect(run.results).toMatchObject([{ status: "error" }]);
});
