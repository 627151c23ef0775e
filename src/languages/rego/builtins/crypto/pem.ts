import { decodeBase64, standard } from "../base64.ts";

/** One block of RFC 7468 text. */
export interface PemBlock {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** What follows the block. */
  readonly rest: string;
}

const block = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n([\s\S]*?)-----END \1-----[ \t]*(?:\r?\n|$)/;

/** The first block of a text, as Go's pem.Decode finds it; undefined: there is none. */
export function decodePem(text: string): PemBlock | undefined {
  let from = 0;
  for (;;) {
    const found = block.exec(text.slice(from));
    if (found === null) return undefined;
    const [whole, type = "", body = ""] = found;
    const end = from + found.index + whole.length;
    // Headers (`Proc-Type: ...`) stand before an empty line.
    const data = body.replace(/^(?:[^\n:]+:[^\n]*\n)+\s*\n/, "").replace(/[ \t\r\n]+/g, "");
    const bytes = decodeBase64(data, standard);
    if (typeof bytes !== "number") return { type, bytes, rest: text.slice(end) };
    from = end;
  }
}
