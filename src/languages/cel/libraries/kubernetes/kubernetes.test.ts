import { describe, expect, test } from "vitest";
import { check } from "../../checker.ts";
import { estimateCost } from "../../cost/estimate.ts";
import { type Env, variable } from "../../env.ts";
import { run, shown, typeOrIssues } from "../../evaluate.testing.ts";
import { parse } from "../../parser.ts";
import { dynType, stringType } from "../../types.ts";
import { Unknown } from "../../values/value.ts";
import { type AuthorizationCheck, Authorizer, authorizerType, requestResourceCheck, resourceCheckType } from "./authorizer.ts";
import { kubernetesEnvironments } from "./environment.ts";
import { mutationLibrary, mutationTypes } from "./mutation.ts";

const { storedExpressions } = kubernetesEnvironments(36);
const env = storedExpressions.extend({
  variables: [
    variable("object", dynType),
    variable("s", stringType),
    variable("authorizer", authorizerType),
    variable("authorizer.requestResource", resourceCheckType),
  ],
});

describe("functions", () => {
  test.each([
    ["quantity('1.5Gi').isGreaterThan(quantity('1500Mi'))", "true"],
    ["quantity('100m').add(quantity('900m')) == quantity('1')", "true"],
    ["quantity('1') == quantity('100m').add(quantity('900m'))", "no such overload"],
    ["quantity('10').asInteger()", "10"],
    ["quantity('1.5').isInteger()", "false"],
    ["quantity('10Mm').asInteger()", "unable to parse quantity's suffix"],
    ["quantity('x')", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ["sign(quantity('-1'))", "-1"],
    ["semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))", "true"],
    ["semver('v01.2', true).minor()", "2"],
    ["semver('1.2')", "No Major.Minor.Patch elements found"],
    ["isSemver('1.02.3')", "false"],
    ["url('https://h.example:80/a%20b?x=1&x=2').getEscapedPath()", "/a%20b"],
    ["url('https://h.example:80/a?x=1&x=2').getQuery()", "{x: [1, 2]}"],
    ["isURL('h.example/a')", "false"],
    ["'a1b22'.findAll('[0-9]+')", "[1, 22]"],
    ["'abc'.find('z')", ""],
    ["[1, 2, 2].lastIndexOf(2)", "2"],
    ["[duration('1s'), duration('2s')].sum() == duration('3s')", "true"],
    ["['b', 'a'].isSorted()", "false"],
    ["[].max()", "max called on empty list"],
    ["format.dns1123Label().validate('a.b').value()", "[must not contain dots]"],
    ["format.named('uuid').value().validate('x').hasValue()", "true"],
    ["ip('::ffff:1.2.3.4')", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
    ["cidr('10.0.0.0/8').containsIP('x')", "no such overload"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, {}, env)).toBe(expected);
  });
});

describe("what an environment has", () => {
  const minors = [26, 27, 28, 29, 30, 31, 32, 33, 34, 36, 37];
  const newIn = (minor: number) => kubernetesEnvironments(minor, 37).newExpressions;
  const compiles = (source: string, within: Env) => !typeOrIssues(source, within).startsWith("ERROR");

  test.each([
    ["1 < 1.5", 28],
    ["optional.none().hasValue()", 28],
    ["quantity('1').isInteger()", 28],
    ["'%s'.format(['a']) == 'a'", 29],
    ["sets.contains([1], [1])", 29],
    ["ip('1.1.1.1').family() == 4", 30],
    ["format.named('uuid').hasValue()", 31],
    ["[1].all(i, v, v > i)", 32],
    ["isSemver('1.2.3')", 33],
    ["[1].distinct() == [1]", 34],
    ["[1].includes(1)", 37],
  ])("%s is there since 1.%d", (source, since) => {
    expect(minors.filter((minor) => compiles(source, newIn(minor)))).toEqual(minors.filter((minor) => minor >= since));
    expect(compiles(source, kubernetesEnvironments(26, 37).storedExpressions)).toBe(true);
  });

  test("an older server does not know what came later", () => {
    expect(compiles("[1].includes(1)", kubernetesEnvironments(36, 36).storedExpressions)).toBe(false);
    expect(compiles("[1].isSorted()", kubernetesEnvironments(36, 36).storedExpressions)).toBe(true);
  });

  test.each([
    ["[1, 'a']", "expected type 'int' but found 'string'"],
    ["duration('x')", "invalid duration argument"],
    ["timestamp('x')", "invalid timestamp argument"],
    ["'a'.matches('(')", "invalid matches argument"],
    ["'%d'.format(['a'])", "error during formatting: decimal clause can only be used on integers, was given string"],
  ])("%s is refused: %s", (source, message) => {
    expect(typeOrIssues(source, env)).toContain(message);
  });
});

describe("the authorizer", () => {
  const asked: AuthorizationCheck[] = [];
  const authorizer = new Authorizer(
    (check) => {
      asked.push(check);
      return {
        allowed: check.verb === "get",
        reason: `${check.user} may not`,
        ...(check.name === "odd" ? { error: "no idea" } : {}),
      };
    },
    { name: "alice", groups: ["devs"] },
  );
  const resource = { apiGroup: "apps", resource: "deployments", subresource: "", namespace: "shop", name: "web" };
  const variables = { authorizer, "authorizer.requestResource": requestResourceCheck(authorizer, resource) };

  test.each([
    ["authorizer.path('/healthz').check('get').allowed()", "true"],
    ["authorizer.group('').resource('pods').namespace('a').check('list').reason()", "alice may not"],
    [
      "authorizer.serviceAccount('ns', 'bot').group('').resource('pods').check('list').reason()",
      "system:serviceaccount:ns:bot may not",
    ],
    ["authorizer.serviceAccount('ns', 'Bot').group('').resource('pods').check('get').allowed()", "Invalid service account name"],
    ["authorizer.group('').resource('pods').name('odd').check('get').error()", "no idea"],
    ["authorizer.group('').resource(' ').check('get').allowed()", "resource must not be empty"],
    ["authorizer.requestResource.check('get').allowed()", "true"],
    ["authorizer == authorizer", "no such overload"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, variables, env)).toBe(expected);
  });

  test("is told all that the expression says", () => {
    asked.length = 0;
    shown(
      "authorizer.group('g').resource('r').subresource('s').namespace('n').name('m').labelSelector('a=b').fieldSelector('c=d').check('get').allowed()",
      variables,
      env,
    );
    expect(asked).toEqual([
      {
        ...{ user: "alice", groups: ["devs"], verb: "get", isResourceRequest: true, path: "", namespace: "n", apiGroup: "g" },
        ...{ resource: "r", subresource: "s", name: "m", fieldSelector: "c=d", labelSelector: "a=b" },
      },
    ]);
  });

  test("may have to ask outside first", () => {
    const need = { kind: "namespace", name: "x" } as const;
    const waiting = new Authorizer(() => new Unknown([need]), { name: "", groups: [] });
    expect(run("authorizer.path('/x').check('get').allowed()", { authorizer: waiting }, env).value).toBeInstanceOf(Unknown);
  });

  test("costs 350,000 a check", () => {
    expect(run("authorizer.path('/x').check('get').allowed()", variables, env).cost).toBe(350_003);
  });
});

describe("estimates", () => {
  function estimate(source: string): string {
    const parsed = parse(source, env.syntax);
    const typed = parsed.ok ? check(parsed.value, env) : parsed;
    if (!typed.ok) throw new Error(typed.issues[0]?.message);
    const { min, max } = estimateCost(typed.value, env, {
      sizeOf: ({ type }) => (type.kind === "string" ? { min: 0n, max: 100n } : undefined),
    });
    return `${min}..${max}`;
  }

  test.each([
    ["s == 'abc'", "2..2"],
    ["s.contains('ab')", "1..11"],
    ["s.matches('a+b')", "2..12"],
    ["[1, 2, 3].all(i, i > 0)", "20..26"],
    ["true || s.contains(s)", "0..102"],
    ["s.split(',').all(p, p.size() > 1)", "2..622"],
    ["object.all(o, o == 1)", "2..18446744073709551615"],
    ["cel.size", "undeclared"],
  ])("%s: %s", (source, expected) => {
    if (expected === "undeclared") expect(() => estimate(source)).toThrow("undeclared reference");
    else expect(estimate(source)).toBe(expected);
  });
});

describe("initializers of mutations", () => {
  const mutating = env.extend({ libraries: [mutationLibrary], structsByName: mutationTypes });

  test.each([
    ["JSONPatch{op: 'add'}.op", "add"],
    ["has(JSONPatch{op: 'add'}.path)", "false"],
    ["JSONPatch{}.path", ""],
    ["JSONPatch{op: 'add', value: 1} == JSONPatch{op: 'add', value: 1}", "true"],
    ["JSONPatch{op: 'add'} == JSONPatch{op: 'remove'}", "false"],
    ["jsonpatch.escapeKey('a/b~c')", "a~1b~0c"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, {}, mutating)).toBe(expected);
  });

  test("JSONPatch knows its fields", () => {
    expect(typeOrIssues("JSONPatch{opp: 'add'}", mutating)).toContain("undefined field 'opp'");
    expect(typeOrIssues("Object{spec: Object.spec{replicas: 1}}", mutating)).toBe("Object");
  });
});
