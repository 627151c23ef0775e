import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { CheckRef, Finding } from "./finding.ts";
import { type JsonPath, toPointer } from "./json.ts";
import type { ResourceRef } from "./kubernetes.ts";

/** Characters of an id: 96 bits, so that nobody can craft a finding that hides behind an accepted one. */
const length = 24;

/** The SHA-256 of a text's UTF-8 bytes in hexadecimal digits: hosts have faster ones than a pure module. */
export type Sha256Hex = (text: string) => string;

const ownSha256: Sha256Hex = (text) => bytesToHex(sha256(utf8ToBytes(text)));

/**
 * The stable id of a finding: check + resource + path. Neither message, file, line nor API version count, so that it
 * survives edits elsewhere, moved files and version bumps. Two objects of the same name in two files share it.
 */
export function findingId(check: CheckRef, resource: ResourceRef, path: JsonPath = [], hexOf: Sha256Hex = ownSha256): string {
  const parts = [check.policy, check.rule, resource.group, resource.kind, resource.namespace, resource.name, toPointer(path)];
  return hexOf(JSON.stringify(parts)).slice(0, length);
}

/** The finding with its id. */
export function identified(finding: Omit<Finding, "id">): Finding {
  return { id: findingId(finding.check, finding.resource, finding.path), ...finding };
}
