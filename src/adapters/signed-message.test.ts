import { createSign, generateKeyPairSync, sign } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readSignedMessage } from "./signed-message.ts";

const manifest = "kind: ConfigMap\n";
const pem = (key: { export: (options: { type: "spki"; format: "pem" }) => string | Buffer }) =>
  String(key.export({ type: "spki", format: "pem" }));

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A ustar archive; `size` as it is written in the header. */
function tar(text: string, size = text.length.toString(8).padStart(11, "0"), type = "0", name = "a.yaml"): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(size, 124);
  header.write(type, 156);
  const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  body.write(text);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

const signers: { readonly [name: string]: { readonly publicKey: string; readonly sign: (data: Buffer) => Buffer } } = {
  EC: { publicKey: pem(ec.publicKey), sign: (data) => createSign("sha256").update(data).sign(ec.privateKey) },
  RSA: { publicKey: pem(rsa.publicKey), sign: (data) => createSign("sha256").update(data).sign(rsa.privateKey) },
  Ed25519: { publicKey: pem(ed.publicKey), sign: (data) => sign(null, data, ed.privateKey) },
};

function read(signed: Buffer, by = "EC", changed: { publicKey?: string; signatures?: readonly string[]; message?: string } = {}) {
  const signer = signers[by];
  if (signer === undefined) throw new Error(by);
  const signatures = [signer.sign(signed).toString("base64")];
  const message = gzipSync(signed).toString("base64");
  return readSignedMessage({ kind: "signed-message", message, signatures, publicKey: signer.publicKey, ...changed });
}

describe.each(Object.keys(signers))("a key of the kind %s", (kind) => {
  test("verifies what it signed, an archive or a text", () => {
    const verified = { ok: true, value: { verified: true, reason: "", texts: [manifest] } };
    expect(read(gzipSync(tar(manifest)), kind)).toEqual(verified);
    expect(read(Buffer.from(manifest), kind)).toEqual(verified);
  });

  test("does not verify what another key signed", () => {
    expect(read(Buffer.from(manifest), kind, { publicKey: pem(other.publicKey) })).toMatchObject({ value: { verified: false } });
  });
});

test.each<[string, Parameters<typeof read>[2], string]>([
  ["another message", { message: gzipSync("kind: Secret").toString("base64") }, "invalid signature"],
  ["no signature", { signatures: [] }, "invalid signature"],
  ["a signature that is none", { signatures: ["%%%", ""] }, "invalid signature"],
  ["a key that is none", { publicKey: "-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----" }, "cannot be read"],
  ["a key for something else", { publicKey: pem(generateKeyPairSync("x25519").publicKey) }, "x25519"],
])("%s is not verified", (_, changed, reason) => {
  expect(read(Buffer.from(manifest), "EC", changed)).toMatchObject({
    ok: true,
    value: { verified: false, reason: expect.stringContaining(reason), texts: [] },
  });
});

test.each<[string, Buffer]>([
  ["a broken compression", Buffer.from([0x1f, 0x8b, 1, 2, 3])],
  ["an archive of hundreds of megabytes", gzipSync(Buffer.alloc(200_000_000))],
  ["a size of below nothing", gzipSync(tar(manifest, "-0000001000"))],
  ["a size beyond the end", gzipSync(tar(manifest, "77777777777"))],
  ["a size that is no number", gzipSync(tar(manifest, "abc"))],
])("%s cannot be read", (_, signed) => {
  expect(read(signed)).toEqual({ ok: false, message: expect.stringContaining("cannot be read") });
});

test.each<[string, Parameters<typeof read>[2]]>([
  ["a message of nothing", { message: "" }],
  ["a message that is no base64", { message: "!bWVzc2FnZQ==" }],
  ["more signatures than anybody makes", { signatures: new Array<string>(33).fill("bQ==") }],
])("%s cannot be read", (_, changed) => {
  expect(read(Buffer.from(manifest), "EC", changed)).toEqual({ ok: false, message: expect.stringContaining("cannot be read") });
});

test("of an archive the YAML files are read by name, and the last of each", () => {
  const first = "1".padStart(512, "#");
  const file = (text: string, name: string) => tar(text, undefined, "0", name).subarray(0, 1024);
  const archive = [file("b", "b.yml"), file("x", "../c.yaml"), file(first, "a.yaml"), file("a", "a.yaml"), file("y", "old.bak")];
  expect(read(gzipSync(Buffer.concat(archive)))).toMatchObject({ value: { verified: true, texts: ["a", "b"] } });
});

test("links and folders are no files", () => {
  expect(read(gzipSync(tar("", "00000000000", "2")))).toMatchObject({ value: { verified: true, texts: [] } });
});
