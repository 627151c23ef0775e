import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { absolute, add, ceil, divide, floor, multiply, remainder, round, subtract } from "./arithmetic.ts";
import { compareNumbers, int64Of, integerOf, numberProblem, numberText, parseNumber, RegoNumber } from "./number.ts";

// What OPA 1.22.2 answers.
const results: readonly (readonly [string, unknown, string])[] = [
  ["0.1 + 0.2", add(parseNumber("0.1"), parseNumber("0.2")), "0.3"],
  ["1 / 3", divide(1, 3), "0.33333333333333333334"],
  ["2 / 3", divide(2, 3), "0.6666666666666666667"],
  ["10 / 4", divide(10, 4), "2.5"],
  ["0 / -5", divide(0, -5), "-0"],
  ["1234567 + 0.5", add(1234567, parseNumber("0.5")), "1.2345675e+06"],
  ["1e10 * 1.5", multiply(parseNumber("1e10"), parseNumber("1.5")), "15000000000"],
  ["1.0 - 1", subtract(parseNumber("1.0"), 1), "0"],
  ["1e3 + 1", add(parseNumber("1e3"), 1), "1001"],
  ["2^53 + 1", add(9007199254740992, 1), "9007199254740993"],
  [
    "big product",
    multiply(parseNumber("12345678901234567890"), parseNumber("98765432109876543210")),
    "1219326311370217952237463801111263526900",
  ],
  ["-7 % 3", remainder(-7, 3), "-1"],
  ["round(-2.5)", round(parseNumber("-2.5")), "-3"],
  ["ceil(-0.5)", ceil(parseNumber("-0.5")), "1"],
  ["floor(-0.5)", floor(parseNumber("-0.5")), "0"],
  ["floor(-1.5)", floor(parseNumber("-1.5")), "-2"],
  ["abs(-0.5)", absolute(parseNumber("-0.5")), "0.5"],
  ["round of a big integer", round(parseNumber("6317541893822474767256518656")), "6317541893822474767256518656"],
];

describe("arithmetic", () => {
  test.each(results)("%s", (_, result, text) => {
    expect(typeof result === "number" || result instanceof RegoNumber ? numberText(result) : result).toBe(text);
  });

  test("division by zero and the remainder of fractions have no result", () => {
    expect(divide(1, parseNumber("0.0"))).toBeUndefined();
    expect(remainder(1, 0)).toBe("modulo by zero");
    expect(remainder(parseNumber("1.5"), 1)).toBe("modulo on floating-point number");
  });

  test("integers of any size are exact", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        const [x, y] = [parseNumber(String(a)), parseNumber(String(b))];
        expect(numberText(add(x, y))).toBe(String(a + b));
        expect(numberText(subtract(x, y))).toBe(String(a - b));
        expect(numberText(multiply(x, y))).toBe(String(a * b));
        expect(Math.sign(compareNumbers(x, y))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});

describe("numbers", () => {
  test.each([
    ["1", "1.0"],
    ["100", "1e2"],
    ["0", "-0.0"],
    ["12345678901234567890123", "1.2345678901234567890123e22"],
  ])("%s equals %s and has its key", (a, b) => {
    const [x, y] = [parseNumber(a), parseNumber(b)];
    expect(compareNumbers(x, y)).toBe(0);
    const keyOf = (n: number | RegoNumber) => (typeof n === "number" ? n : n.key);
    expect(keyOf(x)).toBe(keyOf(y));
  });

  test("numbers keep their spelling", () => {
    for (const text of ["1.0", "1e3", "-0", "0.10", "123456789012345678901234567890", "3.14"]) {
      expect(numberText(parseNumber(text))).toBe(text);
    }
  });

  test("integers are told from other numbers", () => {
    expect(integerOf(parseNumber("1e3"))).toBe(1000n);
    expect(integerOf(parseNumber("1.5"))).toBeUndefined();
    expect(int64Of(parseNumber("7.00"))).toBe(7n);
    expect(int64Of(parseNumber("1e3"))).toBeUndefined();
    expect(int64Of(parseNumber("9223372036854775808"))).toBeUndefined();
    expect(int64Of(parseNumber("-9223372036854775808"))).toBe(-(2n ** 63n));
  });

  test("numbers that would not fit the memory are refused", () => {
    expect(numberProblem("1e999999999")).toMatch("too big");
    expect(numberProblem("1e300")).toBeUndefined();
  });
});
