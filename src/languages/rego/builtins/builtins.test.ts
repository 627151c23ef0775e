import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileSources } from "../program.ts";
import { printValue } from "../values/print.ts";
import { builtins } from "./index.ts";

const program = compileSources([]);
const host = { now: () => 1_700_000_000_000, random: () => 0.5 };

/** The value of an expression as OPA prints it; `undefined`, or the code and message of the error. */
function evaluate(expression: string): string {
  if (!program.ok) throw new Error("no modules, no program");
  const query = program.value.query(`v := ${expression}`);
  if (!query.ok) return query.issues.map(({ code, message }) => `${code}: ${message}`).join("; ");
  const answer = query.value.evaluate({ host, strictBuiltinErrors: true });
  if (!answer.ok) return `${answer.error.code}: ${answer.error.message}`;
  const value = answer.value[0]?.get("v");
  return value === undefined ? "undefined" : printValue(value);
}

/** Expressions and what OPA 1.22.2 makes of them. */
const cases: readonly (readonly [expression: string, outcome: string])[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "builtins.cases.json"), "utf8"),
);

test.each(cases)("%s", (expression, outcome) => {
  expect(evaluate(expression)).toBe(outcome);
});

describe("what OPA cannot tell", () => {
  test.each([
    ["time.now_ns()", "1700000000000000000"],
    ['rand.intn("a", 10)', "5"],
    ['rand.intn("a", 0)', "0"],
    ['uuid.rfc4122("x")', '"80808080-8080-4080-8080-808080808080"'],
    ["opa.runtime()", "{}"],
    ['net.lookup_ip_addr("10.0.0.1")', '{"10.0.0.1"}'],
    // OPA keeps such texts as numbers, which are no JSON.
    ['to_number("+1_000")', "1000"],
  ])("%s is %s", (expression, outcome) => {
    expect(evaluate(expression)).toBe(outcome);
  });

  test("the network is off", () => {
    expect(evaluate('http.send({"method": "get", "url": "http://localhost"})')).toMatch(/^eval_builtin_error: .*is off/);
    expect(evaluate('net.lookup_ip_addr("example.com")')).toMatch(/^eval_builtin_error: .*is off/);
  });

  test("what grows without bounds is stopped by the budget", () => {
    const query = program.ok ? program.value.query("v := numbers.range(1, 1000000000000)") : undefined;
    const answer = query?.ok ? query.value.evaluate({ host, budget: 1000 }) : undefined;
    expect(answer).toMatchObject({ ok: false, error: { code: "eval_cancel_error" } });
    expect(evaluate("bits.lsh(1, 1000000000000)")).toMatch(/^eval_builtin_error/);
  });
});

test("every builtin has a name, a type and an implementation", () => {
  expect(builtins.size).toBeGreaterThan(200);
  for (const [name, builtin] of builtins) {
    expect(builtin.name).toBe(name);
    expect(builtin.type.kind).toBe("function");
  }
});
