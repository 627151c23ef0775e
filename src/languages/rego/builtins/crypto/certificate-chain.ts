import { authorityOf, type Certificate, dnsNames, extendedUsages, hasUnknownRules, isSignedBy, maySign } from "./certificate.ts";
import { sameBytes } from "./hashes.ts";

/** What a chain must fulfil beside being signed. */
export interface ChainOptions {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Empty: any. */
  readonly dnsName: string;
  /** Object identifiers, of which one must be allowed; without any: server authentication. */
  readonly usages: readonly string[];
}

const anyUsage = "2.5.29.37.0";
const serverAuthentication = "1.3.6.1.5.5.7.3.1";

/** The certificates from the last one (the leaf) to the first one (the root), where they verify; else undefined. */
export function verifyChain(certificates: readonly Certificate[], options: ChainOptions): readonly Certificate[] | undefined {
  const [root, ...rest] = certificates;
  const leaf = rest.pop();
  if (root === undefined || leaf === undefined || !isValid(leaf, options)) return undefined;
  if (options.dnsName !== "" && !dnsNames(leaf).some((name) => matchesName(name, options.dnsName))) return undefined;
  if (leaf.subject === root.subject && sameBytes(leaf.der, root.der)) return [leaf];
  return findChain([leaf], rest, root, options);
}

function findChain(
  chain: readonly Certificate[],
  others: readonly Certificate[],
  root: Certificate,
  options: ChainOptions,
): readonly Certificate[] | undefined {
  const last = chain.at(-1);
  if (last === undefined) return undefined;
  // Every certificate is used once, so no chain is longer than their number.
  for (const parent of [root, ...others]) {
    if (!issues(parent, last, chain.length - 1) || !isValid(parent, options)) continue;
    const longer = [...chain, parent];
    if (parent === root) {
      if (allowsUsage(longer, options.usages)) return longer;
      continue;
    }
    const rest = others.filter((other) => other !== parent);
    const found = findChain(longer, rest, root, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `below`: how many authorities stand between the parent and the leaf. */
function issues(parent: Certificate, child: Certificate, below: number): boolean {
  if (parent.subject !== child.issuer) return false;
  const { isAuthority, pathLength } = authorityOf(parent);
  if (!isAuthority || !maySign(parent)) return false;
  return (pathLength === undefined || below <= pathLength) && isSignedBy(child, parent);
}

function isValid(certificate: Certificate, { at }: ChainOptions): boolean {
  return at >= certificate.notBefore && at <= certificate.notAfter && !hasUnknownRules(certificate);
}

/** A usage must be allowed by every certificate of the chain that limits usages. */
function allowsUsage(chain: readonly Certificate[], usages: readonly string[]): boolean {
  const wanted = usages.length === 0 ? [serverAuthentication] : usages;
  if (wanted.includes(anyUsage)) return true;
  return wanted.some((usage) =>
    chain.every((certificate) => {
      const allowed = extendedUsages(certificate);
      return allowed === undefined || allowed.includes(usage) || allowed.includes(anyUsage);
    }),
  );
}

/** `*` stands for the first label. */
function matchesName(pattern: string, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, "").split(".");
  const labels = pattern.toLowerCase().replace(/\.$/, "").split(".");
  return labels.length === wanted.length && labels.every((label, i) => label === wanted[i] || (i === 0 && label === "*"));
}
