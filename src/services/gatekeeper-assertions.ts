import { asString, type JsonValue, member } from "../core/json.ts";
import { compileRegex } from "../core/regex.ts";

/** What an assertion wants: a number, at least one, or none. YAML 1.1 reads `yes` and `no` as booleans. */
function wantedCount(value: JsonValue | undefined): number | "some" | undefined {
  if (value === undefined || value === null || value === "yes" || value === true) return "some";
  if (value === "no" || value === false) return 0;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** Why the messages of an object's violations are not what an assertion of gator's wants; undefined: they are. */
export function assertionProblem(assertion: JsonValue, messages: readonly string[]): string | undefined {
  const pattern = asString(member(assertion, "message"));
  const regex = pattern === undefined ? undefined : compileRegex(pattern);
  if (regex?.ok === false) return `${JSON.stringify(pattern)} is no regular expression: ${regex.message}`;
  const wanted = wantedCount(member(assertion, "violations"));
  if (wanted === undefined) return 'violations must be "yes", "no" or a number that is not negative';
  const matching = messages.filter((message) => regex === undefined || regex.value.test(message)).length;
  if (wanted === "some" ? matching > 0 : matching === wanted) return undefined;
  const which = pattern === undefined ? "" : ` matching ${JSON.stringify(pattern)}`;
  const expected = wanted === "some" ? "at least one" : wanted === 0 ? "none" : String(wanted);
  return `${matching} violations${which}, expected ${expected}; got ${JSON.stringify(messages)}`;
}
