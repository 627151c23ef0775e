import { createHmac, createPublicKey, createSign, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { printValue } from "../../values/print.ts";
import type { Value } from "../../values/value.ts";
import { RegoObject } from "../../values/value.ts";
import { BuiltinError } from "../builtin.ts";
import { builtins } from "../index.ts";

const context = {
  host: { now: () => 0, random: () => 0.37 },
  nowNanoseconds: 1_700_000_000_000_000_000n,
  memory: new Map(),
  runtime: RegoObject.empty,
  spend: () => undefined,
};

function call(name: string, ...args: readonly Value[]): Value {
  const result = builtins.get(name)?.call(args, context);
  if (result === undefined || result instanceof BuiltinError) throw new Error(`${name}: ${result?.message ?? "undefined"}`);
  return result;
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pssOptions = { padding: 6, saltLength: -1 } as const;
const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const;
const ec = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: generateKeyPairSync("ec", { namedCurve: "P-521" }),
};
const ed = generateKeyPairSync("ed25519");

interface Signer {
  readonly algorithm: string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly sign: (message: Buffer) => Buffer;
  readonly verify: (message: Buffer, signature: Buffer) => boolean;
}

const hashOf = (algorithm: string) => `sha${algorithm.slice(2)}`;

function rsaSigner(algorithm: string): Signer {
  const options = algorithm.startsWith("PS") ? pssOptions : {};
  const size = { padding: 6, saltLength: -2 };
  const reading = algorithm.startsWith("PS") ? size : {};
  return {
    algorithm,
    keys: rsa,
    sign: (message) =>
      createSign(hashOf(algorithm))
        .update(message)
        .sign({ key: rsa.privateKey, ...options }),
    verify: (message, signature) => verify(hashOf(algorithm), message, { key: rsa.publicKey, ...reading }, signature),
  };
}

function ecSigner(algorithm: keyof typeof curves): Signer {
  const keys = ec[algorithm];
  return {
    algorithm,
    keys,
    sign: (message) => sign(hashOf(algorithm), message, { key: keys.privateKey, dsaEncoding: "ieee-p1363" }),
    verify: (message, signature) =>
      verify(hashOf(algorithm), message, { key: keys.publicKey, dsaEncoding: "ieee-p1363" }, signature),
  };
}

const signers: readonly Signer[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map(rsaSigner),
  ecSigner("ES256"),
  ecSigner("ES384"),
  ecSigner("ES512"),
  {
    algorithm: "EdDSA",
    keys: ed,
    sign: (message) => sign(null, message, ed.privateKey),
    verify: (message, signature) => verify(null, message, ed.publicKey, signature),
  },
];

const base64url = (data: string | Buffer): string => Buffer.from(data).toString("base64url");

function token({ algorithm, sign: signMessage }: Signer, payload: object): string {
  const text = `${base64url(JSON.stringify({ alg: algorithm }))}.${base64url(JSON.stringify(payload))}`;
  return `${text}.${base64url(signMessage(Buffer.from(text)))}`;
}

describe.each(signers)("$algorithm", (signer) => {
  const name = `io.jwt.verify_${signer.algorithm.toLowerCase()}`;
  const pem = String(signer.keys.publicKey.export({ type: "spki", format: "pem" }));
  const jwk = JSON.stringify(signer.keys.publicKey.export({ format: "jwk" }));
  const good = token(signer, { sub: "a" });

  test("signatures made by OpenSSL verify, by PEM and by JWK", () => {
    expect(call(name, good, pem)).toBe(true);
    expect(call(name, good, jwk)).toBe(true);
    expect(printValue(call("io.jwt.decode_verify", good, RegoObject.of([["cert", pem]])))).toBe(
      `[true, {"alg": "${signer.algorithm}"}, {"sub": "a"}]`,
    );
  });

  test("tampered tokens do not", () => {
    const [header = "", payload = "", signature = ""] = good.split(".");
    const other = base64url(JSON.stringify({ sub: "b" }));
    expect(call(name, `${header}.${other}.${signature}`, pem)).toBe(false);
    const bytes = Buffer.from(signature, "base64url");
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    expect(call(name, `${header}.${payload}.${base64url(bytes)}`, pem)).toBe(false);
    expect(call(name, `${header}.${payload}.`, pem)).toBe(false);
  });

  test("our signatures verify in OpenSSL", () => {
    const key = JSON.stringify(signer.keys.privateKey.export({ format: "jwk" }));
    const made = String(call("io.jwt.encode_sign_raw", JSON.stringify({ alg: signer.algorithm }), '{"x":1}', key));
    const [header = "", payload = "", signature = ""] = made.split(".");
    expect(signer.verify(Buffer.from(`${header}.${payload}`), Buffer.from(signature, "base64url"))).toBe(true);
  });
});

test("a token signed with the text of a public key is not taken for one signed with the key", () => {
  const pem = String(createPublicKey(rsa.privateKey).export({ type: "spki", format: "pem" }));
  const text = `${base64url('{"alg":"HS256"}')}.${base64url('{"sub":"admin"}')}`;
  const forged = `${text}.${createHmac("sha256", pem).update(text).digest("base64url")}`;
  expect(printValue(call("io.jwt.decode_verify", forged, RegoObject.of([["cert", pem]])))).toBe("[false, {}, {}]");
  const empty = `${text}.${createHmac("sha256", "").update(text).digest("base64url")}`;
  expect(printValue(call("io.jwt.decode_verify", empty, RegoObject.of([["cert", pem]])))).toBe("[false, {}, {}]");
  const none = `${base64url('{"alg":"none"}')}.${base64url("{}")}.`;
  expect(printValue(call("io.jwt.decode_verify", none, RegoObject.of([["cert", pem]])))).toBe("[false, {}, {}]");
});

test("private keys are read in every common form", () => {
  const forms = [
    rsa.privateKey.export({ type: "pkcs1", format: "pem" }),
    rsa.privateKey.export({ type: "pkcs8", format: "pem" }),
    ec.ES256.privateKey.export({ type: "sec1", format: "pem" }),
    ed.privateKey.export({ type: "pkcs8", format: "pem" }),
  ];
  expect(printValue(call("count", call("crypto.parse_private_keys", forms.join(""))))).toBe("4");
  const jwk: unknown = rsa.privateKey.export({ format: "jwk" });
  const ours = call("json.marshal", call("crypto.x509.parse_rsa_private_key", String(forms[0])));
  expect(JSON.parse(String(ours))).toEqual(jwk);
});
