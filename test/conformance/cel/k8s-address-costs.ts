import { isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { listOf } from "./go-literal.ts";
import { NotData } from "./go-schema.ts";
import { runLibraryExpression } from "./k8s-library.ts";

/** What the tests start from, and what that costs. */
const literals = {
  ip: { v4: ["ip('192.168.0.1')", 2], v6: ["ip('2001:db8:3333:4444:5555:6666:7777:8888')", 4] },
  cidr: { v4: ["cidr('192.168.0.0/16')", 2], v6: ["cidr('2001:db8::/32')", 2] },
} as const;

/** The sum that a Go function of the tests adds to the cost of the literal, by `term`: `c.Min + 5`. */
function added(value: JsonValue | undefined, term: "c" | "c.Min" | "c.Max", v6: number): number {
  const source = isObject(value) ? String(value["$func"]) : "";
  const body = source.slice(source.indexOf("{") + 1);
  if (/return c\s*}$/.test(body)) return 0;
  if (/c\.Add\(ipv6BaseEstimatedCost\)/.test(body)) return v6 + Number(/Add\(checker\.CostEstimate\{Min: (\d+)/.exec(body)?.[1]);
  const sum = new RegExp(`\\b${term.replace(".", "\\.")} \\+ ([\\w+ ]+)`).exec(body)?.[1];
  if (sum === undefined) throw new NotData(source);
  return sum.split("+").reduce((total, part) => total + (part.trim() === "ipv6BaseRuntimeCost" ? v6 : Number(part)), 0);
}

/** Rows of operations on addresses: what each costs on top of a literal. */
export function runAddressCostRow(kind: keyof typeof literals, row: JsonObject): Outcome {
  const { v4, v6 } = literals[kind];
  for (const op of listOf(row["ops"]).map(String)) {
    const about = [...(op.includes("2001:db8") && !op.startsWith(" ==") ? [] : [v4]), ...(op.includes("192.") ? [] : [v6])];
    for (const [literal, base] of about) {
      const ran = runLibraryExpression(literal + op);
      if (!ran.ok) return failure(ran.message);
      const estimate = row["expectEsimatedCost"];
      const expected = JSON.stringify([
        [base + added(estimate, "c.Min", v6[1]), base + added(estimate, "c.Max", v6[1])],
        base + added(row["expectRuntimeCost"], "c", v6[1]),
      ]);
      const actual = JSON.stringify([ran.estimate, ran.evaluation.cost]);
      if (actual !== expected) return failure(`${literal}${op} costs ${actual}, expected ${expected}`);
    }
  }
  return passed;
}
