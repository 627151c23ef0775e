import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../core/canonical-json.ts";
import { encodeUtf8 } from "../core/utf8.ts";
import { checkpointKeyText, parseCheckpointKey, readCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { appendLeaf, emptyFrontier, packFrontier, rootOf, unpackFrontier } from "./frontier.ts";
import { consistencyRanges, inclusionRanges, merkleHashes, rangeHash } from "./merkle.ts";
import { verifyConsistency, verifyInclusion } from "./proof.ts";

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
const hashes = merkleHashes(sha256);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The leaves and roots of the reference implementation of Certificate Transparency (RFC 6962). */
const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map((h) =>
  hashes.leaf(new Uint8Array(Buffer.from(h, "hex"))),
);
const roots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function frontierOf(count: number) {
  return leaves.slice(0, count).reduce((frontier, leaf) => appendLeaf(hashes, frontier, leaf), emptyFrontier);
}

const tree = fc
  .array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 70 })
  .map((records) => records.map(hashes.leaf));
const treeAndIndex = tree.chain((all) => fc.tuple(fc.constant(all), fc.nat(all.length - 1)));

describe("RFC 6962 tree", () => {
  test.each(roots.map((root, size) => ({ root, size })))("root of $size known leaves", ({ root, size }) => {
    expect(hex(rootOf(hashes, frontierOf(size)))).toBe(root);
    expect(hex(rangeHash(hashes, leaves)(0, size))).toBe(size === 0 ? hex(leaves[0] ?? hashes.empty) : root);
  });

  test("a frontier survives packing, and wrong bytes are refused", () => {
    const frontier = frontierOf(7);
    expect(unpackFrontier(7, packFrontier(frontier))).toEqual(frontier);
    expect(unpackFrontier(6, packFrontier(frontier))).toBeUndefined();
  });

  test("a leaf closes the perfect subtrees that end with it", () => {
    const closed: string[] = [];
    appendLeaf(hashes, frontierOf(7), leaves[7] ?? hashes.empty, (s) => closed.push(`${s.level}/${s.index} ${hex(s.hash)}`));
    expect(closed).toHaveLength(3);
    expect(closed[2]).toBe(`3/0 ${roots[8]}`);
  });

  test("every leaf is proven, and no other leaf with the same proof", () => {
    fc.assert(
      fc.property(treeAndIndex, fc.nat(255), ([all, index], flip) => {
        const over = rangeHash(hashes, all);
        const proof = inclusionRanges(index, all.length).map(([start, end]) => over(start, end));
        const leaf = all[index] ?? hashes.empty;
        const claim = { leaf, index, size: all.length, root: over(0, all.length) };
        expect(verifyInclusion(hashes, claim, proof)).toBe(true);
        const other = leaf.with(flip % 32, (leaf[flip % 32] ?? 0) ^ 1);
        expect(verifyInclusion(hashes, { ...claim, leaf: other }, proof)).toBe(false);
        expect(verifyInclusion(hashes, claim, [...proof, hashes.empty])).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(hashes, claim, proof.slice(1))).toBe(false);
      }),
    );
  });

  test("every beginning is proven, and no tree that differs in it", () => {
    fc.assert(
      fc.property(treeAndIndex, fc.nat(69), ([all, index], changed) => {
        const older = index + 1;
        const over = rangeHash(hashes, all);
        const newer = { size: all.length, root: over(0, all.length) };
        const proof = consistencyRanges(older, all.length).map(([start, end]) => over(start, end));
        expect(verifyConsistency(hashes, { size: older, root: over(0, older) }, newer, proof)).toBe(true);
        const forged = [...all];
        forged[changed % older] = hashes.leaf(encodeUtf8("forged"));
        const root = rangeHash(hashes, forged)(0, older);
        expect(verifyConsistency(hashes, { size: older, root }, newer, proof)).toBe(false);
      }),
    );
  });
});

describe("checkpoints", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = new Uint8Array(publicKey.export({ type: "spki", format: "der" }).subarray(-32));
  const signer = {
    origin: "test.example/ledger",
    publicKey: raw,
    sign: (m: Uint8Array) => new Uint8Array(sign(null, m, privateKey)),
  };
  const check = (_: Uint8Array, m: Uint8Array, s: Uint8Array) => verify(null, m, publicKey, s);
  const note = signCheckpoint(sha256, signer, { size: 8, root: leaves[1] ?? hashes.empty });

  test("a note is read back, its key in one line too", () => {
    expect(readCheckpoint(sha256, check, [signer], note)).toMatchObject({ ok: true, head: { size: 8, root: leaves[1] } });
    const line = checkpointKeyText(sha256, signer);
    expect(parseCheckpointKey(sha256, line)).toEqual({ origin: signer.origin, publicKey: raw });
    expect(parseCheckpointKey(sha256, line.replace("test", "best"))).toBeUndefined();
  });

  test("no byte of a note can be changed", () => {
    fc.assert(
      fc.property(fc.nat(note.length - 2), fc.constantFrom("0", "A", "\n", "+"), (at, char) => {
        fc.pre(note[at] !== char);
        const forged = note.slice(0, at) + char + note.slice(at + 1);
        const reading = readCheckpoint(sha256, check, [signer], forged);
        // The last digit of base64 has bits that mean nothing; nothing is forged by them.
        if (reading.ok) expect(reading.head).toEqual({ size: 8, root: leaves[1] });
      }),
    );
    expect(readCheckpoint(sha256, check, [], note)).toEqual({ ok: false, reason: "no known key signed it" });
  });
});

test("canonical JSON sorts members and keeps every digit", () => {
  const value = { b: [1, 2n ** 60n, "\u00e9\ud800"], a: { z: null, y: undefined, "10": true, "9": -0 } };
  expect(canonicalJson(value)).toBe('{"a":{"10":true,"9":0,"z":null},"b":[1,1152921504606846976,"é\ufffd"]}');
});
