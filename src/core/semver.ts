import { quoteGo } from "./go-quote.ts";

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

export function formatSemver({ major, minor, patch, prerelease, build }: SemanticVersion): string {
  const suffix = (mark: string, parts: readonly string[]) => (parts.length === 0 ? "" : mark + parts.join("."));
  return `${major}.${minor}.${patch}${suffix("-", prerelease)}${suffix("+", build)}`;
}

/** Why {@link parseSemver} refuses a text, in the words of blang/semver. */
export function semverProblem(text: string): string {
  if (text === "") return "Version string empty";
  const [major, minor, ...rest] = text.split(".");
  if (major === undefined || minor === undefined || rest.length === 0) return "No Major.Minor.Patch elements found";
  const [beforeBuild = "", ...build] = splitOnce(rest.join("."), "+");
  const [patch = "", ...prerelease] = splitOnce(beforeBuild, "-");
  return (
    numberProblem("Major", major) ??
    numberProblem("Minor", minor) ??
    numberProblem("Patch", patch) ??
    prerelease
      .flatMap((part) => part.split("."))
      .map(prereleaseProblem)
      .find((problem) => problem !== undefined) ??
    build
      .flatMap((part) => part.split("."))
      .map(buildProblem)
      .find((problem) => problem !== undefined) ??
    "not a semantic version"
  );
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function numberProblem(name: string, digits: string): string | undefined {
  if (!isNumeric(digits) && digits !== "") return `Invalid character(s) found in ${name.toLowerCase()} number ${quoteGo(digits)}`;
  if (digits.length > 1 && digits.startsWith("0")) return `${name} number must not contain leading zeroes ${quoteGo(digits)}`;
  return rangeProblem(digits);
}

function rangeProblem(digits: string): string | undefined {
  if (digits === "") return 'strconv.ParseUint: parsing "": invalid syntax';
  return compareDigits(digits, maxNumber) > 0 ? `strconv.ParseUint: parsing ${quoteGo(digits)}: value out of range` : undefined;
}

function prereleaseProblem(part: string): string | undefined {
  if (part === "") return "Prerelease is empty";
  if (!isNumeric(part)) return isIdentifier(part) ? undefined : `Invalid character(s) found in prerelease ${quoteGo(part)}`;
  if (part.length > 1 && part.startsWith("0"))
    return `Numeric PreRelease version must not contain leading zeroes ${quoteGo(part)}`;
  return rangeProblem(part);
}

function buildProblem(part: string): string | undefined {
  if (part === "") return "Build meta data is empty";
  return isIdentifier(part) ? undefined : `Invalid character(s) found in build meta data ${quoteGo(part)}`;
}

function isIdentifier(part: string): boolean {
  return /^[0-9A-Za-z-]+$/.test(part);
}

/**
 * The text that is meant by a loosely written version: without `v`, without leading zeros, with all three numbers.
 * Undefined for a short one with a prerelease or build.
 */
export function normalizeSemver(text: string): string | undefined {
  const [major = "", minor, ...patch] = text.replace(/^v/, "").split(".");
  const parts = [major, ...(minor === undefined ? [] : [minor]), ...(patch.length === 0 ? [] : [patch.join(".")])].map(
    withoutZeros,
  );
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? "")) return undefined;
  return [...parts, "0", "0"].slice(0, 3).join(".");
}

function withoutZeros(part: string): string {
  if (part.length <= 1) return part;
  const rest = part.replace(/^0+/, "");
  return /^\d/.test(rest) ? rest : `0${rest}`;
}
