import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Registries } from "../../src/adapters/registry/registries.ts";
import { registryAccess } from "../../src/adapters/registry/registry-access.ts";
import type { JsonObject } from "../../src/core/json.ts";
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
  registries = new Registries(registryAccess([`http://${registry.host}`], undefined), Date.now);
});

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
      "an identity",
      { check: "signature", type: "Cosign", keyless: { issuer: "https://x" } },
      unknown(/not certificates and identities/),
    ],
    ["a key and an identity", { ...signature, keyless: { issuer: "https://x" } }, unknown(/keyless is not understood/)],
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
      unknown(/annotations of attestations are not checked/),
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
