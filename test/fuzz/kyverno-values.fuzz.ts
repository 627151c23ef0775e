import fc from "fast-check";
import type { JsonValue } from "../../src/core/json.ts";
import { compileJmesPath, JmesPathError } from "../../src/languages/jmespath/index.ts";
import { compileConditions } from "../../src/policies/kyverno/conditions.ts";
import { operators } from "../../src/policies/kyverno/operators.ts";
import { compilePattern } from "../../src/policies/kyverno/pattern.ts";
import { compileTemplate, VariableError } from "../../src/policies/kyverno/variables.ts";
import { anyJson, anyObject, smallConditions, smallPattern, smallValue } from "./arbitraries.ts";
import { fuzzSuite } from "./fuzz.ts";
import { referenceMet } from "./reference-conditions.ts";
import { referenceStatus } from "./reference-pattern.ts";

const host = { now: () => 0, random: () => 0.5 };

/** Far more than anything of this size needs; what takes longer grows too fast. */
const budgetMilliseconds = 2000;

function withinBudget(run: () => void): void {
  const start = performance.now();
  run();
  const took = performance.now() - start;
  if (took > budgetMilliseconds) throw new Error(`took ${took.toFixed(0)} ms`);
}

/** Runs what may be refused in the way that it documents, and in no other. */
function orRefused(refusal: abstract new (...args: never[]) => Error, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
  }
}

const patternText = fc
  .array(fc.constantFrom(..."| & ! < > >= <= - !- * ? 1 5 10 Mi Gi m h s a : . 1.5 -1".split(" "), " "), { maxLength: 12 })
  .map((pieces) => pieces.join(""));
const names = [
  "add",
  "length",
  "join",
  "keys",
  "map",
  "sort_by",
  "split",
  "to_string",
  "regex_match",
  "truncate",
  "items",
  "random",
];
const expression = fc
  .array(
    fc.constantFrom(...names, ..."a b @ . * [ ] [? ] ( ) , & && || | ! == < { } : `1` `[1,2]` 'x' '(a+)+$' 0 -1".split(" ")),
    { maxLength: 20 },
  )
  .map((pieces) => pieces.join(""));
const templateText = fc
  .array(fc.oneof(expression, fc.constantFrom("{{", "}}", "{{ a }}", "\\{{", "{{-", "$(", "$(./../a)", ")", "text")), {
    maxLength: 6,
  })
  .map((pieces) => pieces.join(" "));

fuzzSuite({
  "patterns agree with a slow and plain reading of the rules": (limits) =>
    fc.assert(
      fc.property(
        smallValue,
        smallPattern,
        (value, pattern) => compilePattern(pattern)(value).status === referenceStatus(value, pattern),
      ),
      limits,
    ),
  "conditions agree with a slow and plain reading of the rules": (limits) =>
    fc.assert(
      fc.property(smallConditions, (conditions) => {
        const compiled = compileConditions(conditions);
        return compiled.ok && compiled.value({ root: {}, deleting: false, host }).met === referenceMet(conditions);
      }),
      limits,
    ),
  "any pattern has an answer for any value": (limits) =>
    fc.assert(
      fc.property(fc.oneof(anyJson, patternText, smallPattern), fc.oneof(anyJson, smallValue), (pattern, value) =>
        withinBudget(() => {
          compilePattern(pattern)(value);
          compilePattern({ metadata: { labels: pattern }, a: [pattern] })({ metadata: { labels: value }, a: [value, value] });
        }),
      ),
      limits,
    ),
  "any operator has an answer for any key and value": (limits) => {
    const operand = fc.oneof(anyJson, patternText);
    return fc.assert(
      fc.property(fc.constantFrom(...Object.values(operators)), operand, operand, (operator, key, value) => {
        withinBudget(() => void operator(key, value));
      }),
      limits,
    );
  },
  "any expression is refused or evaluated": (limits) =>
    fc.assert(
      fc.property(fc.oneof(expression, fc.string()), anyJson, (source, data) =>
        withinBudget(() => {
          const program = compileJmesPath(source);
          if (program.ok) orRefused(JmesPathError, () => program.value({ a: data, b: [data, data] }, host));
        }),
      ),
      limits,
    ),
  "any document with variables is refused or substituted": (limits) => {
    const document = fc.oneof(anyJson, templateText, fc.dictionary(templateText, templateText)) as fc.Arbitrary<JsonValue>;
    return fc.assert(
      fc.property(document, anyObject, templateText, (source, root, value) =>
        withinBudget(() => {
          const template = compileTemplate(source);
          const scope = { root: { ...root, a: value, b: [value, { [value]: value }] }, deleting: false, host };
          if (template.ok) orRefused(VariableError, () => template.value.substitute(scope));
        }),
      ),
      limits,
    );
  },
});
