/** A semantic version (semver.org 2.0.0). Numbers are kept as digits without leading zeros: they may have 64 bits. */
export interface SemanticVersion {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Dot-separated identifiers; empty for a release. */
  readonly prerelease: readonly string[];
  readonly build: readonly string[];
}

const number = "(0|[1-9]\\d*)";
const identifiers = "([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)";
const shape = new RegExp(`^${number}\\.${number}\\.${number}(?:-${identifiers})?(?:\\+${identifiers})?$`);
const maxNumber = "18446744073709551615";

function isNumeric(identifier: string): boolean {
  return /^\d+$/.test(identifier);
}

/** Reads a strict semantic version: three numbers, no `v`, no leading zeros; undefined for anything else. */
export function parseSemver(text: string): SemanticVersion | undefined {
  const parts = shape.exec(text);
  if (parts === null) return undefined;
  const [, major = "", minor = "", patch = "", pre = "", build = ""] = parts;
  const prerelease = pre === "" ? [] : pre.split(".");
  const numbers = [major, minor, patch, ...prerelease.filter(isNumeric)];
  const sound = numbers.every((n) => (n === "0" || !n.startsWith("0")) && compareDigits(n, maxNumber) <= 0);
  return sound ? { major, minor, patch, prerelease, build: build === "" ? [] : build.split(".") } : undefined;
}

function compareDigits(a: string, b: string): number {
  return a.length - b.length || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareIdentifiers(a: string, b: string): number {
  if (isNumeric(a)) return isNumeric(b) ? compareDigits(a, b) : -1;
  return isNumeric(b) ? 1 : compareText(a, b);
}

/** Precedence by semver.org item 11 (build metadata does not count): negative, zero or positive. */
export function compareSemver(a: SemanticVersion, b: SemanticVersion): number {
  const core = compareDigits(a.major, b.major) || compareDigits(a.minor, b.minor) || compareDigits(a.patch, b.patch);
  if (core !== 0) return core;
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (const [i, left] of a.prerelease.entries()) {
    const right = b.prerelease[i];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}
