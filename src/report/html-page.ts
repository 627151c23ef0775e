import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

/** A policy that lets nothing run but the page's own style and script, whatever text the page holds. */
export function contentPolicy(style: string, script: string): string {
  return `default-src 'none'; style-src '${hashSource(style)}'; script-src '${hashSource(script)}'; base-uri 'none'; form-action 'none'`;
}

/** What a content policy names inline text by. */
function hashSource(inline: string): string {
  return `sha256-${base64(sha256(utf8ToBytes(inline)))}`;
}

function base64(bytes: Uint8Array): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const sextets = [18, 12, 6, 0].map((shift) => alphabet[(bits >> shift) & 63] ?? "");
    out += sextets.slice(0, b === undefined ? 2 : c === undefined ? 3 : 4).join("");
  }
  return out.padEnd(Math.ceil(out.length / 4) * 4, "=");
}
