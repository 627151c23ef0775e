import { describe, expect, test } from "vitest";
import type { Fact, Facts, Need } from "../../../core/facts.ts";
import { isObject, type JsonValue, member } from "../../../core/json.ts";
import { type RunOptions, runPolicy } from "../policy-run.testing.ts";

const digest = `sha256:${"a".repeat(64)}`;

const policy = (spec: string, kind = "ImageValidatingPolicy") => `
apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: {name: images, namespace: default}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  matchImageReferences: [{glob: "ghcr.io/*"}]
  validationConfigurations: {verifyDigest: false, required: false, mutateDigest: false}
  attestors:
  - {name: notary, notary: {certs: {value: NOTARY}}}
  - {name: key, cosign: {key: {expression: "'KEY-' + object.metadata.name"}}}
  - {name: broken, cosign: {key: {expression: object.metadata.annotations.key}}}
  attestations:
  - {name: sbom, referrer: {type: sbom/cyclone-dx}}
  - {name: slsa, intoto: {type: slsa}}
${spec}
`;

const validations = (...expressions: readonly string[]) =>
  `  validations: ${JSON.stringify(expressions.map((expression) => ({ expression, message: `not ${expression}` })))}`;

const pod = (...images: readonly string[]) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: images.map((image, i) => ({ name: `c${i}`, image })) },
  });

const isSigned = (reference: string) => reference.includes("signed") && !reference.includes("unsigned");

/** Images with `signed` in their names are signed by whoever asks with NOTARY or KEY-p. */
function answer(need: Need): Fact {
  if (need.kind === "image") {
    if (need.reference.includes("gone")) return { ok: false, message: "no such image" };
    return { ok: true, value: { resolvedImage: `${need.reference}@${digest}`, configData: { os: "linux" } } };
  }
  if (need.kind !== "image-verification") return { ok: false, message: "not asked" };
  const { spec, reference } = need;
  const text = JSON.stringify(spec);
  const anybody = !isObject(member(spec, "keys")) && !isObject(member(spec, "certificates"));
  const verified = isSigned(reference) && (anybody || text.includes("NOTARY") || text.includes("KEY-p"));
  const type = member(spec, "predicateType");
  const statements: readonly JsonValue[] = type === undefined ? [] : [{ type, predicate: { bomFormat: "CycloneDX" } }];
  return { ok: true, value: { verified, statements: verified ? statements : [] } };
}

const facts: Facts = { get: answer };

const run = (spec: string, object: string, options: RunOptions = {}) => runPolicy(policy(spec), object, { facts, ...options });

const signatures = "images.containers.map(image, verifyImageSignatures(image, [attestors.notary])).all(e, e > 0)";

describe("an image validating policy", () => {
  test("at admission what cannot be looked up fails: the actions decide, not failurePolicy, as whoever makes a pod chooses its images", () => {
    const { said } = run(validations(signatures), pod("ghcr.io/a/gone:signed"), { action: { channel: "admission" } });
    expect(said).toContain("images fail: failed to evaluate policy: no such image");
  });

  test.each<[string, string, string, string]>([
    ["signed", validations(signatures), "ghcr.io/a/app:signed", "pass: success"],
    ["not signed", validations(signatures), "ghcr.io/a/app:unsigned", `fail: not ${signatures}`],
    ["an image that it is not about", validations(signatures), "quay.io/a/app:v1", "pass: success"],
    [
      "an image that is not there",
      validations(signatures),
      "ghcr.io/a/gone:signed",
      "error: failed to evaluate policy: no such image",
    ],
    ["a key that an expression gives", validations(signatures.replace("notary", "key")), "ghcr.io/a/app:signed", "pass: success"],
    [
      "two attestors, one may do",
      validations(signatures.replace("[attestors.notary]", "[attestors.notary, attestors.key]").replace("e > 0", "e == 2")),
      "ghcr.io/a/app:signed",
      "pass: success",
    ],
    [
      "an artifact",
      validations("images.containers.all(i, extractPayload(i, attestations.sbom).bomFormat == 'CycloneDX')"),
      "ghcr.io/a/app:signed",
      "pass: success",
    ],
    [
      "an artifact of no one",
      validations("images.containers.all(i, extractPayload(i, attestations.sbom).bomFormat == 'x')"),
      "ghcr.io/a/app:unsigned",
      "error: error: failed to get payload: artifact of type sbom/cyclone-dx not found",
    ],
    [
      "a statement",
      validations(
        "images.containers.all(i, verifyAttestationSignatures(i, attestations.slsa, [attestors.key]) == 1 && extractPayload(i, attestations.slsa).predicate.bomFormat == 'CycloneDX')",
      ),
      "ghcr.io/a/app:signed",
      "pass: success",
    ],
    [
      "a statement before it is verified",
      validations("images.containers.all(i, extractPayload(i, attestations.slsa).predicate.x == 1)"),
      "ghcr.io/a/app:signed",
      "error: error: failed to get payload: intoto attestation payload cannot be fetch before verifying intoto attestation",
    ],
    [
      "data of the image",
      validations("images.containers.all(i, getImageData(i).config.os == 'linux')"),
      "ghcr.io/a/app:v1",
      "pass: success",
    ],
    [
      "images of another name",
      `  images: [{name: one, expression: "[object.spec.containers[0].image]"}]\n${validations("images.one == ['ghcr.io/a/app:v1']")}`,
      "ghcr.io/a/app:v1",
      "pass: success",
    ],
  ])("%s", (_, spec, image, said) => {
    expect(run(spec, pod(image)).said).toEqual([`images ${said}`]);
  });

  test("a broken attestor is an error, not a missing signature", () => {
    const [said = ""] = run(validations(signatures.replace("notary", "broken")), pod("ghcr.io/a/app:signed")).said;
    expect(said).toContain("images error: error: failed to evaluate compiled attestor: broken");
  });

  test("what nobody answers is an error", () => {
    const refused: Facts = { get: (need) => (need.kind === "image" ? answer(need) : { ok: false, message: "no registry" }) };
    const [said = ""] = run(validations(signatures), pod("ghcr.io/a/app:signed"), { facts: refused }).said;
    expect(said).toContain("could not be checked: no registry");
  });

  test("asks for everything before it judges", () => {
    const nothing: Facts = { get: () => undefined };
    expect(() => run(validations(signatures), pod("ghcr.io/a/a:1", "ghcr.io/a/b:1"), { facts: nothing })).toThrow("needs facts");
  });

  const strict = (config: string) =>
    policy(validations("true")).replace(/validationConfigurations: .*/, `validationConfigurations: ${config}`);

  test.each<[string, string, string, string]>([
    ["wants digests", "{required: false}", "ghcr.io/a/app:v1", "fail: image ghcr.io/a/app:v1 does not have a digest"],
    ["takes digests", "{required: false}", `ghcr.io/a/app@${digest}`, "pass: success"],
    [
      "wants a check of every image",
      "{verifyDigest: false}",
      "ghcr.io/a/app:v1",
      "fail: image ghcr.io/a/app:v1 is not verified: no policy performed a signature or attestation check on it",
    ],
  ])("%s", (_, config, image, said) => {
    expect(runPolicy(strict(config), pod(image), { facts }).said).toEqual([`images ${said}`]);
  });

  test("a check that failed does not do, whatever the expression says", () => {
    const text = policy(validations(`${signatures} || true`)).replace("required: false", "required: true");
    expect(runPolicy(text, pod("ghcr.io/a/app:unsigned"), { facts }).said).toEqual([
      "images fail: image ghcr.io/a/app:unsigned failed signature or attestation verification",
    ]);
  });

  test("puts digests to images at admission, and only there", () => {
    const pinned = (channel: "admission" | "scan") =>
      runPolicy(strict("{verifyDigest: false, required: false}"), pod("ghcr.io/a/app:v1", "quay.io/a/b:1"), {
        facts,
        action: { channel },
      }).results.flatMap(({ object }) => (object === undefined ? [] : [object["spec"]]));
    const image = `ghcr.io/a/app:v1@${digest}`;
    expect(pinned("admission")).toEqual([
      {
        containers: [
          { name: "c0", image },
          { name: "c1", image: "quay.io/a/b:1" },
        ],
      },
    ]);
    expect(pinned("scan")).toEqual([]);
  });

  test("is about what makes pods, too", () => {
    const deployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: p}, spec: {template: {spec: {containers: [{name: a, image: "ghcr.io/a/app:unsigned"}]}}}}`;
    expect(run(validations(signatures), deployment).said).toEqual([`autogen-defaults fail: not ${signatures}`]);
  });

  test("of one namespace stays in it", () => {
    const text = policy(validations("false"), "NamespacedImageValidatingPolicy");
    expect(runPolicy(text, pod("ghcr.io/a/app:v1"), { facts }).said).toEqual(["images fail: not false"]);
    expect(runPolicy(text, pod("ghcr.io/a/app:v1").replace('"default"', '"other"'), { facts }).said).toEqual([]);
  });

  test.each([
    ["  attestors: [{name: both, notary: {}, cosign: {}}]", "either cosign or notary"],
    ["  attestations: [{name: none}]", "either intoto or referrer"],
    ["  matchImageReferences: [{}]", "either glob or expression"],
    ["  matchImageReferences: [{expression: nothing}]", "undeclared reference to 'nothing'"],
    ["  evaluation: {mode: HTTP}", "policies of mode HTTP are not supported"],
  ])("names what is wrong: %s", (spec, message) => {
    const text =
      policy(validations("true")).replace(new RegExp(`\\n${spec.slice(0, spec.indexOf(":"))}:.*(\\n  - .*)*`), "") + spec;
    expect(
      runPolicy(text, pod("a"), { facts })
        .diagnostics.map((d) => d.message)
        .join(),
    ).toContain(message);
  });
});
