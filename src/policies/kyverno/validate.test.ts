import { describe, expect, test } from "vitest";
import { runRules } from "./policy-run.testing.ts";

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: default, labels: {app: web}}
spec:
  hostNetwork: true
  containers:
  - {name: a, image: "nginx:latest"}
  - {name: b, image: "nginx:1.27"}
`;

/** One rule about pods with this validate block, in YAML of one line. */
const rule = (validate: string, more = ""): string => `
- name: check
  match: {any: [{resources: {kinds: [Pod]}}]}
  ${more}
  validate: ${validate}
`;

const outcome = (validate: string, object = pod, more = "") => {
  const { results } = runRules(rule(validate, more), object);
  const [result] = results.filter((r) => r.rule === "check");
  return result === undefined ? undefined : [result.status, result.message, result.locate?.()?.join(".")];
};

describe("patterns", () => {
  test.each<[string, string, unknown]>([
    ["that hold", "{message: m, pattern: {kind: Pod}}", ["pass", "validation rule 'check' passed.", undefined]],
    [
      "that do not say where",
      "{message: No., pattern: {spec: {hostNetwork: false}}}",
      ["fail", "validation error: No. rule check failed at path /spec/hostNetwork/", "spec.hostNetwork"],
    ],
    [
      "in a list",
      `{message: "no latest", pattern: {spec: {containers: [{image: "!*:latest"}]}}}`,
      ["fail", "validation error: no latest. rule check failed at path /spec/containers/0/image/", "spec.containers.0.image"],
    ],
    [
      "without a message",
      "{pattern: {spec: {hostNetwork: false}}}",
      ["fail", "validation error: rule check failed at path /spec/hostNetwork/", "spec.hostNetwork"],
    ],
    [
      "with variables",
      `{message: "{{ request.object.metadata.name }} is wrong", pattern: {metadata: {name: "{{ request.object.metadata.labels.app }}"}}}`,
      ["fail", "validation error: p is wrong. rule check failed at path /metadata/name/", "metadata.name"],
    ],
    [
      "with a variable that leads nowhere",
      `{message: m, pattern: {metadata: {name: "{{ request.object.metadata.nope }}"}}}`,
      [
        "error",
        expect.stringContaining("variable substitution failed: failed to resolve request.object.metadata.nope at path"),
        undefined,
      ],
    ],
    [
      "with a message that cannot be filled",
      `{message: "{{ nope }}", pattern: {spec: {hostNetwork: false}}}`,
      ["fail", expect.stringContaining("variables substitution error in rule check execution error"), "spec.hostNetwork"],
    ],
    [
      "whose condition does not hold",
      `{message: m, pattern: {metadata: {(name): other}}}`,
      ["skip", expect.stringContaining("conditional anchor mismatch"), undefined],
    ],
  ])("%s", (_, validate, expected) => {
    expect(outcome(validate)).toEqual(expected);
  });

  test("are not matched against what is deleted", () => {
    const { results } = runRules(rule("{message: m, pattern: {kind: X}}"), pod, { operation: "DELETE", oldObject: pod });
    expect(results).toEqual([]);
  });
});

describe("numbers of patterns", () => {
  const versioned = (text: string) => `
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {v: ${text}}}
spec: {containers: [{name: a, env: [{name: x, value: ${text}}]}]}
`;
  const blocks = {
    pattern: "{message: m, pattern: {metadata: {labels: {=(app): x}}, spec: {containers: [{env: [{value: 5}]}]}}}",
    variable: `{message: m, pattern: {spec: {containers: [{env: [{value: "{{ to_number('5') }}"}]}]}}}`,
    any: "{message: m, anyPattern: [{spec: {containers: [{env: [{value: 5}]}]}}]}",
    loop: '{message: m, foreach: [{list: "request.object.spec.containers[].env[]", pattern: {value: 5}}]}',
  } as const;

  // As Kyverno 1.19.1 answers: integers that stand in a pattern stay integers; variables and anyPattern make floats.
  test.each<[string, readonly (keyof typeof blocks)[]]>([
    ['"5"', ["pattern", "variable", "any", "loop"]],
    ['"+5"', ["pattern", "variable", "any", "loop"]],
    ["5.0", ["pattern", "variable", "any", "loop"]],
    ['"5.0"', ["variable", "any"]],
    ['"5e0"', ["variable", "any"]],
    ['"0x5p0"', ["variable", "any"]],
    ['" 5"', []],
    ['"5.5"', []],
  ])("%s equals 5 in %j", (text, equal) => {
    const passing = Object.entries(blocks).filter(([, block]) => outcome(block, versioned(text))?.[0] === "pass");
    expect(passing.map(([name]) => name)).toEqual(equal);
  });
});

describe("any of several patterns", () => {
  test.each<[string, string, unknown]>([
    [
      "one holds",
      "{message: m, anyPattern: [{kind: X}, {kind: Pod}]}",
      ["pass", "validation rule 'check' anyPattern[1] passed.", undefined],
    ],
    [
      "none holds",
      "{message: m, anyPattern: [{kind: X}, {metadata: {name: q}}]}",
      ["fail", "validation error: m. rule check[0] failed at path /kind/ rule check[1] failed at path /metadata/name/", "kind"],
    ],
    [
      "all are skipped",
      "{message: m, anyPattern: [{metadata: {(name): q}}]}",
      ["skip", expect.stringMatching(/^rule check\[0\] skipped: /), undefined],
    ],
    [
      "some are skipped",
      "{message: m, anyPattern: [{metadata: {(name): q}}, {kind: X}]}",
      ["fail", "validation error: m. rule check[1] failed at path /kind/", "kind"],
    ],
  ])("%s", (_, validate, expected) => {
    expect(outcome(validate)).toEqual(expected);
  });
});

describe("deny", () => {
  const deny = (conditions: string, message = "message: m,") => `{${message} deny: {conditions: ${conditions}}}`;
  const app = (value: string, more = "") =>
    `{key: "{{ request.object.metadata.labels.app }}", operator: Equals, value: ${value}${more}}`;

  test.each<[string, string, unknown]>([
    ["when its conditions are met", deny(`{any: [${app("web")}]}`), ["fail", "m", undefined]],
    ["when they are not", deny(`{all: [${app("db")}]}`), ["pass", "validation rule 'check' passed.", undefined]],
    ["in the old form", deny(`[${app("web")}]`), ["fail", "m", undefined]],
    ["with messages of the conditions", deny(`{all: [${app("web", ", message: why")}]}`), ["fail", "m; why", undefined]],
    ["without any message", deny(`{all: [${app("web")}]}`, ""), ["fail", "validation error: rule check failed", undefined]],
    [
      "that cannot be evaluated",
      deny(`{all: [{key: "{{ request.object.spec.nope }}", operator: Equals, value: 1}]}`),
      ["error", expect.stringContaining("failed to check deny conditions: "), undefined],
    ],
  ])("%s", (_, validate, expected) => {
    expect(outcome(validate)).toEqual(expected);
  });

  test("sees the old object in place of the deleted one", () => {
    const { results } = runRules(rule(deny(`{all: [${app("web")}]}`)), pod, { operation: "DELETE", oldObject: pod });
    expect(results.map((r) => r.status)).toEqual(["fail"]);
  });
});

describe("loops", () => {
  const loop = (body: string) => `{message: m, foreach: [{list: request.object.spec.containers, ${body}}]}`;
  const tag = (tagged: string) => `{any: [{key: "{{ element.image }}", operator: Equals, value: "${tagged}"}]}`;

  test.each<[string, string, unknown]>([
    ["over patterns", loop(`pattern: {image: "*"}`), ["pass", "rule passed", undefined]],
    [
      "that fail, at the element",
      loop(`pattern: {image: "!*:latest"}`),
      ["fail", "validation failure: validation error: m. rule check failed at path /image/", "spec.containers.0.image"],
    ],
    ["over conditions", loop(`deny: {conditions: ${tag("nginx:1.27")}}`), ["fail", "validation failure: m", "spec.containers.1"]],
    [
      "with preconditions",
      loop(`preconditions: ${tag("nginx:1.27")}, pattern: {image: "!*:latest"}`),
      ["pass", "rule passed", undefined],
    ],
    [
      "with context",
      loop(
        `context: [{name: tag, variable: {jmesPath: "split(element.image, ':')[1]"}}], deny: {conditions: {all: [{key: "{{ tag }}", operator: Equals, value: "1.27"}]}}`,
      ),
      ["fail", "validation failure: m", "spec.containers.1"],
    ],
    [
      "with the index",
      loop(`deny: {conditions: {all: [{key: "{{ elementIndex }}-{{ elementIndex0 }}", operator: Equals, value: "1-1"}]}}`),
      ["fail", "validation failure: m", "spec.containers.1"],
    ],
    [
      "against the whole object",
      loop(`elementScope: false, pattern: {metadata: {name: q}}`),
      ["fail", expect.stringContaining("/metadata/name/"), "metadata.name"],
    ],
    ["over a list that is not there", "{message: m, foreach: [{list: request.object.spec.volumes, pattern: {a: b}}]}", undefined],
    [
      "over a value that is no list",
      `{message: m, foreach: [{list: request.object.metadata.name, deny: {conditions: {all: [{key: "{{ element }}", operator: Equals, value: p}]}}}]}`,
      ["fail", "validation failure: m", undefined],
    ],
    [
      "that scope elements that are no maps",
      `{message: m, foreach: [{list: "['a']", elementScope: true, pattern: {a: b}}]}`,
      ["error", expect.stringContaining("expected type=map got type=string"), undefined],
    ],
    [
      "whose list cannot be evaluated",
      `{message: m, foreach: [{list: "to_number(request.object)", pattern: {a: b}}]}`,
      undefined,
    ],
    [
      "inside loops",
      `{message: m, foreach: [{list: "[request.object.spec.containers]", foreach: [{list: element, deny: {conditions: {all: [{key: "{{ element1.image }}", operator: Equals, value: "nginx:1.27"}]}}}]}]}`,
      ["fail", expect.stringContaining("m"), "spec.containers.1"],
    ],
  ])("%s", (_, validate, expected) => {
    expect(outcome(validate)).toEqual(expected);
  });

  test("leave out elements whose preconditions cannot be evaluated", () => {
    const validate = loop(`preconditions: {all: [{key: "{{ element.nope }}", operator: Equals, value: 1}]}, pattern: {image: x}`);
    expect(outcome(validate)).toBeUndefined();
  });
});

describe("preconditions", () => {
  const when = (value: string) =>
    `preconditions: {all: [{key: "{{ request.operation }}", operator: Equals, value: ${value}, message: only then}]}`;

  test.each<[string, string, unknown]>([
    ["hold", when("CREATE"), ["pass", "validation rule 'check' passed.", undefined]],
    ["do not hold", when("UPDATE"), ["skip", "preconditions not met; only then", undefined]],
    [
      "cannot be evaluated",
      when("UPDATE").replace("operation", "nope"),
      ["error", expect.stringContaining("failed to evaluate preconditions: "), undefined],
    ],
  ])("%s", (_, more, expected) => {
    expect(outcome("{message: m, pattern: {kind: Pod}}", pod, more)).toEqual(expected);
  });
});

describe("rules that cannot be evaluated say so for every object they would have judged", () => {
  test.each([
    ["an unknown field", "{message: m, patern: {kind: Pod}}", 'unknown field "patern"'],
    ["a wrong type", "{message: 1, pattern: {kind: Pod}}", "must be a string, but is a number"],
    ["nothing to check", "{message: m}", "needs one of deny, pattern"],
    ["an unknown operator", "{deny: {conditions: {all: [{key: a, operator: Same, value: b}]}}}", "Same"],
    ["a bad expression", `{pattern: {a: "{{ request..x }}"}}`, "request..x"],
    ["anyPattern that is no list", "{anyPattern: {a: b}}", "must be a list of patterns"],
    ["an assertion tree in another language", '{assert: {object: {"(cel;true)": true}}}', "cel"],
    ["an assertion tree that iterates a leaf", '{assert: {object: "~.(a)"}}', "not supported on the right side"],
  ])("%s", (_, validate, message) => {
    expect(outcome(validate)).toEqual(["error", expect.stringContaining(message), undefined]);
    expect(outcome(validate, "{apiVersion: v1, kind: Service, metadata: {name: s}}")).toBeUndefined();
  });
});

describe("assertion trees", () => {
  test.each<[string, string, unknown]>([
    ["hold", "{assert: {object: {spec: {hostNetwork: true}}}}", ["pass", "Validation rule 'check' passed.", undefined]],
    [
      "say where and what",
      "{assert: {object: {spec: {hostNetwork: false}}}}",
      ["fail", "object.spec.hostNetwork: Invalid value: true: Expected value: false", "spec.hostNetwork"],
    ],
    [
      "project with expressions",
      '{assert: {object: {spec: {"(length(containers))": 3}}}}',
      ["fail", 'object.spec["(length(containers))"]: Invalid value: 2: Expected value: 3', "spec"],
    ],
    [
      "loop, bind the element and its index",
      '{assert: {object: {spec: {"~i.containers->c": {"(ends_with($c.image, \':latest\'))": "($i == `0`)"}}}}}',
      ["pass", "Validation rule 'check' passed.", undefined],
    ],
    [
      "report every element that fails",
      '{assert: {object: {spec: {"~.containers": {name: z}}}}}',
      [
        "fail",
        'object.spec["~.containers"][0].name: Invalid value: "a": Expected value: "z"; ' +
          'object.spec["~.containers"][1].name: Invalid value: "b": Expected value: "z"',
        "spec",
      ],
    ],
    [
      "compare lists by length",
      "{assert: {object: {spec: {containers: [{name: a}]}}}}",
      ["fail", expect.stringContaining("lengths of slices"), "spec.containers"],
    ],
    ["read the operation", "{assert: {operation: CREATE}}", ["pass", "Validation rule 'check' passed.", undefined]],
    [
      "keep text between backslashes",
      "{assert: {object: {metadata: {name: '\\p\\'}}}}",
      ["pass", "Validation rule 'check' passed.", undefined],
    ],
    [
      "cannot loop over text",
      '{assert: {object: {"~.kind": a}}}',
      ["error", expect.stringContaining("expected a list or an object"), undefined],
    ],
    [
      "do not know a name",
      '{assert: {object: {"($nope)": a}}}',
      ["error", expect.stringContaining("variable not defined: $nope"), undefined],
    ],
    [
      "want something where the tree is empty",
      "{assert: {object: {status: {}}}}",
      ["fail", expect.stringContaining("must not be null"), ""],
    ],
  ])("%s", (_, validate, expected) => {
    expect(outcome(validate)).toEqual(expected);
  });
});
