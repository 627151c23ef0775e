/** An address range as a number and a prefix length. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly prefix: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`; undefined for anything else, an address without a prefix included. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const [, host = "", digits = ""] = match ?? [];
  if (match === null) return undefined;
  const prefix = Number(digits);
  const v4 = parseV4(host);
  if (v4 !== undefined) return prefix <= 32 ? { family: 4, address: v4, prefix } : undefined;
  const v6 = parseV6(host);
  return v6 !== undefined && prefix <= 128 ? { family: 6, address: v6, prefix } : undefined;
}

export function parseAddress(text: string): { readonly family: 4 | 6; readonly address: bigint } | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, address: v4 };
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { family: 6, address: v6 };
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  if (!text.includes(":") || text.includes(":::")) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const words = (half: string | undefined) => (half === undefined || half === "" ? [] : half.split(":"));
  const head = words(halves[0]);
  const tail = words(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!all.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return all.reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
}

function hostBits({ family, prefix }: Cidr): bigint {
  return (1n << BigInt((family === 4 ? 32 : 128) - prefix)) - 1n;
}

/** Bits below the prefix that are set: `10.0.0.5/16` names the whole of `10.0.0.0/16`. */
export function hasHostBits(cidr: Cidr): boolean {
  return (cidr.address & hostBits(cidr)) !== 0n;
}

/** The range as it should be written. */
export function formatNetwork(cidr: Cidr): string {
  const network = cidr.address & ~hostBits(cidr);
  return `${cidr.family === 4 ? formatV4(network) : formatV6(network)}/${cidr.prefix}`;
}

function formatV4(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join(".");
}

/** RFC 5952: lower case, the longest run of zeros left out. */
function formatV6(address: bigint): string {
  const words = Array.from({ length: 8 }, (_, i) => ((address >> BigInt(16 * (7 - i))) & 0xffffn).toString(16));
  const text = words.join(":");
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].sort((a, b) => b[0].length - a[0].length);
  const longest = runs[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

/** Whether `inner` lies within `outer` and is smaller, as `except` demands. */
export function isStrictSubset(inner: Cidr, outer: Cidr): boolean {
  if (inner.family !== outer.family || inner.prefix <= outer.prefix) return false;
  const mask = ~hostBits(outer);
  return (inner.address & mask) === (outer.address & mask);
}
