import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overload } from "./declarations.ts";
import { everything, run, shown } from "./evaluate.testing.ts";
import { boolType, stringType } from "./types.ts";
import { CelError, Unknown } from "./values/value.ts";

const pod = {
  spec: { containers: [{ name: "a", ports: [80, 443] }, { name: "b" }], replicas: 3 },
  metadata: { labels: { app: "web" } },
};

describe("objects are read as they are", () => {
  test.each([
    ["object.spec.containers.all(c, has(c.name))", "true"],
    ["object.spec.containers.exists(c, has(c.ports) && 443 in c.ports)", "true"],
    ["object.spec.containers.map(c, c.name)", "[a, b]"],
    ["object.spec.containers.filter(c, has(c.ports))[0].name", "a"],
    ["object.spec.containers.exists_one(c, c.name == 'b')", "true"],
    ["object.metadata.labels['app']", "web"],
    ["object.?spec.?missing.orValue('none')", "none"],
    ["object.metadata.labels.all(k, k == 'app')", "true"],
    ["object.spec.replicas + 1", "4"],
    ["type(object.spec.replicas) == int", "true"],
    ["object.spec.containers[1].?ports[?0].hasValue()", "false"],
    ["size(object.spec.containers)", "2"],
    ["object.spec == object.spec", "true"],
  ])("%s", (source, expected) => {
    expect(shown(source, { object: pod })).toBe(expected);
  });

  test.each([
    ["object.spec.missing", "no such key: missing"],
    ["object.spec.containers[2]", "index out of bounds: 2"],
    ["object.spec.containers['a']", "unsupported index type 'string' in list"],
    ["object.constructor", "no such key: constructor"],
    ["object.spec.containers.length", "unsupported index type 'string' in list"],
    ["x", "no such attribute(s): x"],
    ["object.spec.replicas + 'a'", "no such overload"],
    ["object.spec < 1", "no such overload: _<_"],
    ["timestamp(0).getHours('-0800')", "unknown time zone -0800"],
    ["timestamp(0).getHours('america/new_york')", "unknown time zone america/new_york"],
  ])("%s fails: %s", (source, message) => {
    const { value } = run(source, { object: pod });
    expect(value).toBeInstanceOf(CelError);
    expect(value instanceof CelError ? value.message : "").toBe(message);
  });
});

describe("errors are absorbed where the other operand decides", () => {
  test.each([
    ["x.missing || true", "true"],
    ["true || x.missing", "true"],
    ["x.missing && false", "false"],
    ["false && x.missing", "false"],
    ["true ? 1 : 1 / 0", "1"],
    ["[0, 1].exists(i, 1 / i == 1)", "true"],
    ["[0, 1].all(i, 1 / i == 2)", "false"],
    ["[0, 1].all(i, 1 / i == 1)", "division by zero"],
    ["x.missing || false", "no such key: missing"],
    ["1 / 0 == 1 / 0", "division by zero"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, { x: {} })).toBe(expected);
  });
});

describe("numbers", () => {
  test.each([
    ["9223372036854775807 + 1", "integer overflow"],
    ["-9223372036854775808 - 1", "integer overflow"],
    ["9223372036854775807 * 2", "integer overflow"],
    ["9007199254740993 + 1", "9007199254740994"],
    ["5 / 2", "2"],
    ["-5 / 2", "-2"],
    ["-5 % 3", "-2"],
    ["5.0 / 2.0", "2.5"],
    ["1u - 2u", "unsigned integer overflow"],
    ["dyn(1) == 1.0 && dyn(1u) == 1", "true"],
    ["dyn(1) < 1.5", "true"],
    ["0.0 / 0.0 == 0.0 / 0.0", "false"],
    ["type(1.0) == double", "true"],
    ["string(1.0)", "1"],
    ["int(2.9)", "2"],
    ["int(x.text)", "type conversion error from 'string' to 'int'"],
    ["double('1e3')", "1000"],
    ["uint(x.minus)", "unsigned integer overflow"],
    ["timestamp('2024-01-31T00:00:00Z') + duration('24h')", "2024-02-01T00:00:00Z"],
    ["timestamp('2024-03-10T12:00:00Z').getHours('America/New_York')", "8"],
    ["duration('90m').getHours()", "1"],
    ["string(duration('1m1.5s'))", "61.5s"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, { x: { text: "abc", minus: -1 } })).toBe(expected);
  });

  test("a constant that does not convert makes no program", () => {
    expect(() => run("int('abc')")).toThrow("type conversion error from 'string' to 'int'");
  });

  test("64-bit sums are exact, or overflow", () => {
    const int = fc.bigInt(-(1n << 63n), (1n << 63n) - 1n);
    fc.assert(
      fc.property(int, int, (a, b) => {
        const sum = a + b;
        const expected = BigInt.asIntN(64, sum) === sum ? String(sum) : "integer overflow";
        const text = (value: bigint) => (value < 0n ? `(${value})` : String(value));
        expect(shown(`${text(a)} + ${text(b)}`)).toBe(expected);
      }),
    );
  });
});

describe("outside data", () => {
  const asks = { kind: "namespace", name: "shop" } as const;
  const env = everything.extend({
    libraries: [
      {
        name: "test.outside",
        functions: [
          {
            name: "known",
            overloads: [
              {
                ...overload("known", [stringType], boolType, () => true),
                implementation: {
                  arity: 1,
                  call: (_, { facts }) => {
                    const fact = facts.get(asks);
                    return fact === undefined ? new Unknown([asks]) : fact.ok;
                  },
                },
              },
            ],
          },
        ],
      },
    ],
  });

  test.each([
    ["known('a') && false", false],
    ["true || known('a')", true],
  ])("%s needs none", (source, expected) => {
    expect(evaluated(source)).toBe(expected);
  });

  test.each(["known('a')", "known('a') && known('b')", "[1].all(i, known('a'))", "known('a') || 1 / 0 == 1"])(
    "%s waits",
    (source) => {
      expect(evaluated(source)).toBeInstanceOf(Unknown);
    },
  );

  function evaluated(source: string) {
    const outside = { facts: { get: () => undefined }, host: { now: () => 0, random: () => 0 } };
    return run(source, {}, env, undefined, outside).value;
  }
});

describe("costs", () => {
  test.each([
    ["object.spec.replicas == 3", 4],
    ["object.spec.containers.all(c, has(c.name))", 14],
    ["'abc'.contains('b')", 1],
    ["[1, 2, 3].map(i, i * 2)", 43],
    ["'a'.matches('a+')", 1],
  ])("%s costs %d", (source, expected) => {
    expect(run(source, { object: pod }).cost).toBe(expected);
  });

  test("an evaluation that costs too much is ended", () => {
    const source = "[1, 2, 3, 4].all(a, [1, 2, 3, 4].all(b, [1, 2, 3, 4].all(c, a + b + c > 0)))";
    const { value, exceeded } = run(source, {}, everything, 50);
    expect(exceeded).toBe(true);
    expect(value instanceof CelError && value.message).toBe("operation cancelled: actual cost limit exceeded");
    expect(run(source, {}, everything, 5000).value).toBe(true);
  });
});

test("a variable of a binding is computed when it is read, and once", () => {
  let reads = 0;
  const variables = {
    get x() {
      reads++;
      return 1;
    },
  };
  expect(run("cel.bind(a, x, true || a == 1)", variables).value).toBe(true);
  expect(reads).toBe(0);
  expect(run("cel.bind(a, x, a + a + a)", variables).value).toBe(3);
  expect(reads).toBe(1);
});
