import { hash } from "node:crypto";
import { merkleHashes, type Sha256 } from "../../ledger/merkle.ts";

/** Bytes of a hash. */
export const hashLength = 32;

export const sha256: Sha256 = (bytes) => hash("sha256", bytes, "buffer");

export const ledgerHashes = merkleHashes(sha256, (text) => hash("sha256", text, "buffer"));
