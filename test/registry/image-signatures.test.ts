import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "../../src/adapters/certificates.ts";
import { Registries } from "../../src/adapters/registry/registries.ts";
import { registryAccess } from "../../src/adapters/registry/registry-access.ts";
import { readSigstoreTrust, type SigstoreTrust } from "../../src/adapters/registry/sigstore-trust.ts";
import { isArray, isObject, type JsonObject } from "../../src/core/json.ts";
import { type RunningRegistry, repository, startRegistry, written } from "./registry-process.ts";

let registry: RunningRegistry;
let registries: Registries;
let reason: string | undefined;

beforeAll(async () => {
  const started = await startRegistry();
  if (!started.available) {
    reason = started.reason;
    return;
  }
  registry = started;
  registries = trusting(undefined);
});

const trusting = (trust: SigstoreTrust | undefined) =>
  new Registries(registryAccess([`http://${registry.host}`], undefined), trust, Date.now);

afterAll(async () => {
  await registries?.close();
  registry?.stop();
});

const key = { publicKeys: written.publicKey, rekor: { ignoreTlog: true } };
const scan = "https://example.com/scan/v1";
const signature = { check: "signature", type: "Cosign", keys: key };
const attestation = { check: "attestation", predicateType: scan, type: "Cosign", keys: key };

function verify(spec: JsonObject, image = `${registry.host}/${repository}:v1`) {
  return registries.ask({ kind: "image-verification", reference: image, spec }, AbortSignal.timeout(20_000));
}

const pem = (pair: { readonly publicKey: KeyObject }) => pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const verified = { ok: true, value: { verified: true, digest: written.image } };
const refused = (message: string) => ({ ok: true, value: { verified: false, digest: written.image, message } });
const unknown = (message: RegExp) => ({ ok: false, message: expect.stringMatching(message) });

describe("what cosign wrote", () => {
  const cases: readonly (readonly [about: string, spec: JsonObject, answer: unknown])[] = [
    ["a signature by the key", signature, verified],
    ["with an annotation that it has", { ...signature, annotations: { team: "ml" } }, verified],
    [
      "with another value of it",
      { ...signature, annotations: { team: "web" } },
      refused("the signature does not say team as wanted"),
    ],
    [
      "with an annotation of every object",
      { ...signature, annotations: { constructor: "x" } },
      refused("the signature does not say constructor as wanted"),
    ],
    ["another key", { ...signature, keys: { ...key, publicKeys: pem(newKey()) } }, refused("no signature is by this key")],
    [
      "an attestation by the key",
      attestation,
      {
        ok: true,
        value: { verified: true, digest: written.image, statements: [{ type: scan, predicate: { scanner: "x", ok: true } }] },
      },
    ],
    [
      "of another type",
      { ...attestation, predicateType: "https://slsa.dev/provenance/v1" },
      refused("no attestation of the type https://slsa.dev/provenance/v1"),
    ],
    [
      "an attestation by another key",
      { ...attestation, keys: { ...key, publicKeys: pem(newKey()) } },
      refused("no attestation is by this key"),
    ],
    [
      "the transparency log wanted",
      { ...signature, keys: { publicKeys: written.publicKey } },
      unknown(/transparency logs are not asked/),
    ],
    [
      "a key in a KMS",
      { ...signature, keys: { kms: "awskms:///x", rekor: { ignoreTlog: true } } },
      unknown(/kms is not understood/),
    ],
    ["a key in a Secret", { ...signature, keys: { ...key, publicKeys: "k8s://ns/key" } }, unknown(/one public key in PEM/)],
    [
      "two keys as one",
      { ...signature, keys: { ...key, publicKeys: written.publicKey + written.publicKey } },
      unknown(/one public key in PEM/),
    ],
    [
      "an identity where nobody's word counts",
      { check: "signature", type: "Cosign", keyless: { issuer: "https://x", subject: "y" } },
      unknown(/not started with --sigstore-trusted-root/),
    ],
    ["a certificate", { check: "signature", type: "Cosign", certificates: { cert: "x" } }, unknown(/not by certificates/)],
    ["a key and an identity", { ...signature, keyless: { issuer: "https://x" } }, unknown(/keys is not understood/)],
    ["Notary", { ...signature, type: "Notary" }, unknown(/Notary are not checked/)],
    [
      "a time stamp wanted",
      { ...signature, keys: { ...key, ctlog: { tsaCertChain: "x" } } },
      unknown(/tsaCertChain is not understood/),
    ],
    [
      "signatures of a registry that is not allowed",
      { ...signature, repository: "ghcr.io/x/signatures" },
      { ok: true, value: { verified: false, message: expect.stringMatching(/--allow-registry ghcr.io/) } },
    ],
    [
      "an attestation with annotations",
      { ...attestation, annotations: { env: "prod" } },
      unknown(/annotations of attestations and bundles are not checked/),
    ],
    [
      "a key that is too small",
      { ...signature, keys: { ...key, publicKeys: pem(generateKeyPairSync("rsa", { modulusLength: 1024 })) } },
      unknown(/less than 2048 bits/),
    ],
  ];
  test.for(cases)("%s", async ([, spec, answer], { skip }) => {
    skip(reason !== undefined, reason);
    expect(await verify(spec)).toEqual(answer);
  });

  const refusals: readonly (readonly [about: string, image: () => string, message: RegExp])[] = [
    ["that is not there", () => `${registry.host}/${repository}:v0`, /HTTP status 404/],
    ["of a registry that is not allowed", () => "evil.example/x:1", /--allow-registry evil.example/],
  ];
  test.for(refusals)(
    "an image %s is not verified, whatever the policy does about errors",
    async ([, image, message], { skip }) => {
      skip(reason !== undefined, reason);
      expect(await verify(signature, image())).toEqual({
        ok: true,
        value: { verified: false, message: expect.stringMatching(message) },
      });
    },
  );

  test("an image is asked about as Kyverno shows it", async ({ skip }) => {
    skip(reason !== undefined, reason);
    const reference = `${registry.host}/${repository}@${written.image}`;
    expect(await registries.ask({ kind: "image", reference }, AbortSignal.timeout(20_000))).toMatchObject({
      ok: true,
      value: {
        resolvedImage: reference,
        registry: registry.host,
        repository,
        identifier: written.image,
        manifest: { schemaVersion: 2 },
        configData: { architecture: "" },
      },
    });
  });
});

describe("what somebody else put there", () => {
  const types = {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    signature: "application/vnd.dev.cosign.simplesigning.v1+json",
    attestation: "application/vnd.dsse.envelope.v1+json",
  };

  /** An image without a signature of its own, to which layers are attached as its signatures or attestations. */
  async function imageWith(
    tag: string,
    what: "sig" | "att",
    layers: (image: string) => readonly (readonly [bytes: Buffer, signature: string])[],
  ) {
    const v1: { config: unknown; layers: unknown } = JSON.parse(written.manifests.v1.text);
    const manifest = JSON.stringify({ ...v1, annotations: { tag } });
    const image = digestOf(Buffer.from(manifest));
    await registry.put(tag, written.manifests.v1.type, manifest);
    const attached = [];
    for (const [bytes, text] of layers(image)) {
      await registry.putBlob(digestOf(bytes), bytes);
      attached.push({
        mediaType: what === "sig" ? types.signature : types.attestation,
        size: bytes.length,
        digest: digestOf(bytes),
        annotations: { "dev.cosignproject.cosign/signature": text },
      });
    }
    await registry.put(
      `${image.replace(":", "-")}.${what}`,
      types.manifest,
      JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config: v1.config, layers: attached }),
    );
    return `${registry.host}/${repository}:${tag}`;
  }

  const payloadOf = (image: string, type = "cosign container image signature") =>
    Buffer.from(JSON.stringify({ critical: { identity: {}, image: { "docker-manifest-digest": image }, type }, optional: null }));
  const mine = newKey();
  const byMe = (bytes: Buffer): readonly [Buffer, string] => [bytes, sign("sha256", bytes, mine.privateKey).toString("base64")];
  const mySpec = (spec: JsonObject) => ({ ...spec, keys: { ...key, publicKeys: pem(mine) } });

  const manyOf = (count: number, payload: Buffer) =>
    Array.from({ length: count }, (_, i): readonly [Buffer, string] => [payload, Buffer.from(`${i}`).toString("base64")]);
  const signatures: readonly (readonly [
    about: string,
    layers: (image: string) => readonly (readonly [Buffer, string])[],
    isVerified: boolean,
  ])[] = [
    ["none", () => [], false],
    ["one of another image", () => [byMe(payloadOf(written.image))], false],
    ["one of something else", (image) => [byMe(payloadOf(image, "a letter"))], false],
    ["one by nobody", (image) => [[payloadOf(image), ""]], false],
    ["one of another text", (image) => [[payloadOf(image), byMe(payloadOf(written.image))[1]]], false],
    ["one that is no JSON", () => [byMe(Buffer.from("hello"))], false],
    ["a good one before sixty bad ones", (image) => [byMe(payloadOf(image)), ...manyOf(60, payloadOf(image))], false],
    ["a good one after sixty bad ones", (image) => [...manyOf(60, payloadOf(image)), byMe(payloadOf(image))], true],
    ["a good one among what is too large", (image) => [byMe(payloadOf(image)), [Buffer.alloc(100_000), "AAAA"]], true],
    ["a good one behind a bad one", (image) => [[payloadOf(image), "AAAA"], byMe(payloadOf(image))], true],
  ];
  test.for(signatures)("signatures: %s", async ([about, layers, isVerified], { skip }) => {
    skip(reason !== undefined, reason);
    const image = await imageWith(`s-${about.replaceAll(" ", "-")}`, "sig", layers);
    expect(await verify(mySpec(signature), image)).toMatchObject({ ok: true, value: { verified: isVerified } });
  });

  const envelope = (type: string, statement: unknown, { signed = type, before = 0 } = {}) => {
    const body = Buffer.from(JSON.stringify(statement));
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${signed.length} ${signed} ${body.length} `), body]);
    const sig = sign("sha256", pae, mine.privateKey).toString("base64");
    return Buffer.from(
      JSON.stringify({
        payloadType: type,
        payload: body.toString("base64"),
        signatures: [...Array(before).fill({ sig: "AAAA" }), { sig }],
      }),
    );
  };
  const inToto = "application/vnd.in-toto+json";
  const statementOf = (image: string) => ({
    predicateType: scan,
    subject: [{ name: "x", digest: { sha256: image.slice("sha256:".length) } }],
    predicate: { ok: true },
  });
  const attestations: readonly (readonly [about: string, make: (image: string) => Buffer, isVerified: boolean])[] = [
    ["about this image", (image) => envelope(inToto, statementOf(image)), true],
    ["the fifth of its signatures", (image) => envelope(inToto, statementOf(image), { before: 4 }), true],
    ["the sixth of its signatures", (image) => envelope(inToto, statementOf(image), { before: 5 }), false],
    ["about another image", () => envelope(inToto, statementOf(written.image)), false],
    ["about none", (image) => envelope(inToto, { ...statementOf(image), subject: [] }), false],
    ["signed as another type", (image) => envelope(inToto, statementOf(image), { signed: "text/plain" }), false],
    ["of a type that is no statement", (image) => envelope("text/plain", statementOf(image)), false],
  ];
  test.for(attestations)("attestations: %s", async ([about, make, isVerified], { skip }) => {
    skip(reason !== undefined, reason);
    const image = await imageWith(`a-${about.replaceAll(" ", "-")}`, "att", (digest) => [[make(digest), ""]]);
    expect(await verify(mySpec(attestation), image)).toMatchObject({ ok: true, value: { verified: isVerified } });
  });
});

describe("what cosign wrote by an identity", () => {
  const workflow = "https://github.com/acme/models/.github/workflows/release.yaml@refs/heads/main";
  const issuer = "https://token.actions.githubusercontent.com";
  const who = { issuer, subject: workflow };
  const { image, trustedRoot } = written.keyless;
  const isVerified = { verified: true, digest: image };
  const isRefused = (message: RegExp) => ({ verified: false, digest: image, message: expect.stringMatching(message) });
  const directory = mkdtempSync(join(tmpdir(), "castellan-"));

  function trustOf(root: JsonObject): SigstoreTrust {
    const file = join(directory, "trusted_root.json");
    writeFileSync(file, JSON.stringify(root));
    return readSigstoreTrust(file);
  }

  async function ask(spec: JsonObject, root = trustedRoot, tag = "keyless") {
    const trusted = trusting(trustOf(root));
    try {
      const reference = `${registry.host}/${repository}:${tag}`;
      return await trusted.ask({ kind: "image-verification", reference, spec }, AbortSignal.timeout(20_000));
    } finally {
      await trusted.close();
    }
  }

  const by = (keyless: JsonObject) => ({ check: "signature", type: "Cosign", keyless });
  const cases: readonly (readonly [about: string, spec: JsonObject, value: unknown])[] = [
    ["the identity", by(who), isVerified],
    ["one of several, as the CEL kind has them", by({ identities: [{ issuer, subject: "x" }, who] }), isVerified],
    ["by a pattern", by({ issuer: "https://token.*", subject: "https://github.com/acme/*" }), isVerified],
    ["by expressions", by({ issuerRegExp: "githubusercontent", subjectRegExp: "^https://github.com/acme/" }), isVerified],
    ["with the log's address", by({ ...who, rekor: { url: "https://rekor.sigstore.dev" } }), isVerified],
    [
      "another repository",
      by({ issuer, subject: "https://github.com/evil/*" }),
      isRefused(/signed by https:\/\/github.com\/acme/),
    ],
    ["another issuer", by({ issuer: "https://accounts.google.com", subject: workflow }), isRefused(/signed by/)],
    ["a pattern that holds and an expression that does not", by({ ...who, subjectRegExp: "evil" }), isRefused(/signed by/)],
    [
      "an attestation",
      { ...by(who), check: "attestation", predicateType: scan },
      { ...isVerified, statements: [{ type: scan, predicate: { scanner: "x", ok: true } }] },
    ],
    [
      "an attestation by another",
      { ...by({ issuer, subject: "x" }), check: "attestation", predicateType: scan },
      isRefused(/signed by/),
    ],
  ];
  test.for(cases)("%s", async ([, spec, value], { skip }) => {
    skip(reason !== undefined, reason);
    expect(await ask(spec)).toEqual({ ok: true, value });
  });

  test.for<readonly [about: string, keyless: JsonObject, message: RegExp]>([
    ["nobody in particular", { issuer }, /the subject has to be named/],
    ["of any issuer", { subject: workflow }, /the issuer has to be named/],
    ["one of several without an issuer", { identities: [who, { subject: "x" }] }, /the issuer has to be named/],
    ["no regular expression", { issuer, subjectRegExp: "(" }, /is no regular expression/],
    ["roots of its own", { ...who, roots: "x" }, /roots is not understood/],
    ["without a log", { ...who, rekor: { ignoreTlog: true } }, /ignoreTlog is not understood/],
    ["another key of the log", { ...who, rekor: { pubkey: "x" } }, /pubkey is not understood/],
    ["more about the certificate", { ...who, additionalExtensions: { a: "b" } }, /additionalExtensions is not understood/],
  ])("cannot be asked: %s", async ([, keyless, message], { skip }) => {
    skip(reason !== undefined, reason);
    expect(await ask(by(keyless))).toEqual(unknown(message));
  });

  const anotherKey = newKey().publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const logs = (name: "tlogs" | "ctlogs", change: (log: JsonObject) => JsonObject): JsonObject => {
    const listed = trustedRoot[name];
    return { ...trustedRoot, [name]: (isArray(listed) ? listed : []).filter(isObject).map(change) };
  };
  const withKey = (key: JsonObject) => (log: JsonObject) => ({
    ...log,
    publicKey: { ...(isObject(log["publicKey"]) ? log["publicKey"] : {}), ...key },
  });
  test.for<readonly [about: string, root: JsonObject]>([
    ["another transparency log", logs("tlogs", withKey({ rawBytes: anotherKey }))],
    [
      "a transparency log that was retired before",
      logs("tlogs", withKey({ validFor: { start: "2020-01-01T00:00:00Z", end: "2021-01-01T00:00:00Z" } })),
    ],
    ["another certificate log", logs("ctlogs", withKey({ rawBytes: anotherKey }))],
    ["no certificate log", { ...trustedRoot, ctlogs: [] }],
  ])("proves nothing to who trusts %s", async ([, root], { skip }) => {
    skip(reason !== undefined, reason);
    expect(await ask(by(who), root)).toMatchObject({ ok: true, value: { verified: false } });
    const attested = await ask({ ...by(who), check: "attestation", predicateType: scan }, root);
    expect(attested).toMatchObject({ ok: true, value: { verified: false } });
  });

  test("proves nothing to who trusts another authority", async ({ skip }) => {
    skip(reason !== undefined, reason);
    const { certificate } = await createAuthority("sigstore", Date.parse("2026-11-23T00:00:00Z"), 30);
    const certificates = [{ rawBytes: new X509Certificate(certificate).raw.toString("base64") }];
    const authorities = [{ certChain: { certificates }, validFor: { start: "2026-01-01T00:00:00Z" } }];
    expect(await ask(by(who), { ...trustedRoot, certificateAuthorities: authorities })).toMatchObject({
      ok: true,
      value: { verified: false },
    });
  });

  /** The image and its signature once more, with one thing about the signature changed. */
  const sigTag = `${image.replace(":", "-")}.sig`;
  const names = {
    signature: "dev.cosignproject.cosign/signature",
    certificate: "dev.sigstore.cosign/certificate",
    bundle: "dev.sigstore.cosign/bundle",
  };
  const inBundle =
    (change: (bundle: { Payload: { [name: string]: unknown }; [name: string]: unknown }) => void) => (text: string) => {
      const bundle = JSON.parse(text);
      change(bundle);
      return JSON.stringify(bundle);
    };
  test.for<readonly [about: string, name: keyof typeof names, change: (text: string) => string]>([
    ["another signature", "signature", () => sign("sha256", Buffer.from("x"), newKey().privateKey).toString("base64")],
    ["no signature", "signature", () => ""],
    ["no certificate", "certificate", () => ""],
    ["a certificate that is none", "certificate", () => "hello"],
    ["no entry", "bundle", () => ""],
    ["an entry that is no JSON", "bundle", () => "{"],
    ["another time", "bundle", inBundle((b) => (b.Payload["integratedTime"] = 1))],
    ["a time that is none", "bundle", inBundle((b) => (b.Payload["integratedTime"] = "soon"))],
    ["no promise", "bundle", inBundle((b) => (b["SignedEntryTimestamp"] = ""))],
    ["another log", "bundle", inBundle((b) => (b.Payload["logID"] = "00"))],
    ["a certificate that is larger than any", "certificate", (text) => text + "A".repeat(20_000)],
    ["an entry that is larger than any", "bundle", inBundle((b) => (b["more"] = "A".repeat(200_000)))],
    ["an entry about something else", "bundle", inBundle((b) => (b.Payload["body"] = Buffer.from("{}").toString("base64")))],
  ])("%s: refused", async ([, name, change], { skip }) => {
    skip(reason !== undefined, reason);
    const { type, text } = written.manifests[sigTag] ?? { type: "", text: "{}" };
    const manifest: { layers: { annotations: { [name: string]: string } }[] } = JSON.parse(text);
    for (const { annotations } of manifest.layers) annotations[names[name]] = change(annotations[names[name]] ?? "");
    await registry.put(sigTag, type, JSON.stringify(manifest));
    try {
      expect(await ask(by(who))).toMatchObject({ ok: true, value: { verified: false } });
    } finally {
      await registry.put(sigTag, type, text);
    }
  });

  test("another image does not take its signature over", async ({ skip }) => {
    skip(reason !== undefined, reason);
    const manifest = JSON.stringify({ ...JSON.parse(written.manifests.v1.text), annotations: { tag: "stolen" } });
    await registry.put("stolen", written.manifests.v1.type, manifest);
    const { type, text } = written.manifests[sigTag] ?? { type: "", text: "{}" };
    await registry.put(`${digestOf(Buffer.from(manifest)).replace(":", "-")}.sig`, type, text);
    expect(await ask(by(who), trustedRoot, "stolen")).toMatchObject({
      ok: true,
      value: { verified: false, message: "another image is signed" },
    });
  });

  const bundle = (spec: JsonObject) => ({ ...spec, type: "SigstoreBundle" });
  const attested = { check: "attestation", predicateType: scan };
  const statements = [{ type: scan, predicate: { scanner: "x", ok: true } }];
  const aKey = { check: "signature", type: "Cosign", keys: { ...key, publicKeys: written.bundled.publicKey } };
  const otherKey = { ...aKey, keys: { ...key, publicKeys: pem(newKey()) } };
  const digests: { readonly [tag: string]: string } = {
    keyless: image,
    bundled: written.bundled.image,
    "bundled-by-key": written.bundled.byKey,
  };
  const bundles: readonly (readonly [about: string, tag: string, spec: JsonObject, more: JsonObject | RegExp])[] = [
    ["by an identity", "bundled", bundle(by(who)), {}],
    ["its attestation", "bundled", bundle({ ...by(who), ...attested }), { statements }],
    ["by another identity", "bundled", bundle(by({ issuer, subject: "x" })), /signed by https/],
    ["of another type", "bundled", bundle({ ...by(who), ...attested, predicateType: "x" }), /no attestation of the type x/],
    ["by a key", "bundled-by-key", bundle(aKey), {}],
    ["its attestation by a key", "bundled-by-key", bundle({ ...aKey, ...attested }), { statements }],
    ["by another key", "bundled-by-key", bundle(otherKey), /by this key/],
    ["by a key where an identity is wanted", "bundled-by-key", bundle(by(who)), /./],
    ["by an identity where a key is wanted", "bundled", bundle(aKey), /by this key/],
    ["where the CEL kind looks for both", "bundled", { ...by(who), bundles: true }, {}],
    ["where only tags are looked at", "bundled", by(who), /no signatures found/],
    ["where there are only tags", "keyless", bundle(by(who)), /no signatures found/],
  ];
  test.for(bundles)("bundles: %s", async ([, tag, spec, more], { skip }) => {
    skip(reason !== undefined, reason);
    const digest = digests[tag];
    const value =
      more instanceof RegExp ? { verified: false, message: expect.stringMatching(more) } : { verified: true, ...more };
    expect(await ask(spec, trustedRoot, tag)).toEqual({ ok: true, value: { digest, ...value } });
  });

  test("bundles: about another image", async ({ skip }) => {
    skip(reason !== undefined, reason);
    const manifest = JSON.stringify({ ...JSON.parse(written.manifests.v1.text), annotations: { tag: "referred" } });
    await registry.put("referred", written.manifests.v1.type, manifest);
    const { type, text } = written.manifests[written.bundled.image.replace(":", "-")] ?? { type: "", text: "{}" };
    await registry.put(digestOf(Buffer.from(manifest)).replace(":", "-"), type, text);
    expect(await ask(bundle(by(who)), trustedRoot, "referred")).toMatchObject({
      ok: true,
      value: { verified: false, message: "the attestation is about another image" },
    });
  });

  test.for(["", "{}", "[]"])("a file that is no trusted root: %s", (text) => {
    const file = join(directory, "other.json");
    writeFileSync(file, text);
    expect(() => readSigstoreTrust(file)).toThrow(/is no trusted root/);
  });

  test("a trusted root without a transparency log is none", () => {
    expect(() => trustOf({ ...trustedRoot, tlogs: [] })).toThrow(/is no trusted root/);
  });
});
