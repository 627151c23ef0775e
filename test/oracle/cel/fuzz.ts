import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type GeneratedCase, generate } from "./generate.ts";
import { type Answer, answerOf, goText, oracleEnv } from "./ours.ts";

/** `node fuzz.ts ORACLE MINOR SECONDS [SEED]`: holds random expressions against the Go program; exit 1 on a difference. */
async function main([oracle, minor, seconds, seed = "1"]: readonly string[]): Promise<number> {
  if (oracle === undefined || minor === undefined || seconds === undefined) {
    console.error("usage: node fuzz.ts ORACLE MINOR SECONDS [SEED]");
    return 3;
  }
  const env = oracleEnv(Number(minor));
  const process = spawn(oracle, [minor], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const end = Date.now() + Number(seconds) * 1000;
  const batch = 500;
  const kinds = new Map<string, number>();
  let [cases, evaluated, shown] = [0, 0, 0];
  for (let next = Number(seed); Date.now() < end; next += batch) {
    const generated = Array.from({ length: batch }, (_, i) => generate(next + i));
    process.stdin.write(generated.map((one) => `${JSON.stringify(one)}\n`).join(""));
    for (const [i, one] of generated.entries()) {
      const line = await lines.next();
      if (line.done === true) throw new Error(`the oracle ended at seed ${next + i}`);
      const theirs: Answer = JSON.parse(line.value);
      const ours = answerOf(one, env);
      cases++;
      if (theirs.compile === undefined) evaluated++;
      const kind = difference(one.expr, ours, theirs);
      if (kind === undefined) continue;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (shown++ < 40) show(next + i, one, kind, ours, theirs);
    }
  }
  process.stdin.end();
  console.log(`${cases} cases, ${evaluated} of them evaluated; differences: ${JSON.stringify(Object.fromEntries(kinds))}`);
  return kinds.size > 0 ? 1 : 0;
}

function show(seed: number, { expr, vars }: GeneratedCase, kind: string, ours: Answer, theirs: Answer): void {
  console.log(`--- seed ${seed}: ${kind}\n${expr}`);
  const used = Object.entries(vars).filter(([name]) => new RegExp(`\\b${name}\\b`).test(expr));
  for (const [name, { value }] of used) console.log(`  ${name} = ${JSON.stringify(value)}`);
  console.log(`  ours:   ${goText(ours)}\n  theirs: ${goText(theirs)}`);
}

/** Go's names of value types are not all ours. */
function named(text: string | undefined): string | undefined {
  return text
    ?.replaceAll(/_var\d+/g, "_var")
    .replace(/(got '|range type: )(?:\*?cel|library|kubernetes|net)[\w.]+|qualifier type: .*/, "$1object");
}

/** The characters of a value in order. */
function sortedText(value: unknown): string {
  return Array.from(goText(value ?? null))
    .sort()
    .join("");
}

/** What differs; undefined for nothing. */
function difference(expr: string, ours: Answer, theirs: Answer): string | undefined {
  // Where cel-go itself fails there is nothing to compare.
  if (theirs.unstable === true || theirs.error?.startsWith("internal error")) return undefined;
  // cel-go takes optionals apart where a condition or a macro yields them, and authorizer values do not survive that.
  if (JSON.stringify(theirs.value ?? null).includes('{"optional":{"error":"no such overload"}}')) return undefined;
  // What a parser makes of the rest after an error is its own affair.
  const syntax = /Syntax error|reserved identifier/;
  if (theirs.compile !== undefined && syntax.test(theirs.compile)) {
    return ours.compile !== undefined && syntax.test(ours.compile) ? undefined : "syntax";
  }
  for (const part of ["compile", "plan", "type", "min", "max", "error"] as const) {
    if (named(ours[part]) !== named(theirs[part])) return part;
  }
  if (goText(ours.value ?? null) !== goText(theirs.value ?? null)) {
    // Go's sort leaves equal elements of longer lists in no particular order.
    const isUnordered = /\bsortBy\(/.test(expr) && sortedText(ours.value) === sortedText(theirs.value);
    return isUnordered ? undefined : "value";
  }
  // What exceeded the limit is stopped a little later here.
  return ours.cost === theirs.cost || ours.error?.includes("cost limit exceeded") ? undefined : "cost";
}

process.exitCode = await main(process.argv.slice(2));
