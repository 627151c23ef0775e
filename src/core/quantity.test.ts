import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addQuantities,
  compareQuantities,
  divideQuantities,
  formatQuantity,
  integerQuantity,
  multiplyQuantities,
  parseQuantity,
  type Quantity,
  quantityToNumber,
  subtractQuantities,
} from "./quantity.ts";

/** Text, and what resource.Quantity of apimachinery 0.36 prints for it; undefined where it refuses the text. */
const canonical: readonly (readonly [string, string | undefined])[] = [
  ["0", "0"],
  ["1", "1"],
  ["-1", "-1"],
  ["+5", "+5"],
  ["1.5", "1500m"],
  [".5", "500m"],
  ["5.", "5."],
  ["0.001", "1m"],
  ["1.500", "1.500"],
  ["1000", "1k"],
  ["1001", "1001"],
  ["12k", "12k"],
  ["1500m", "1500m"],
  ["1.5Gi", "1536Mi"],
  ["1536Mi", "1536Mi"],
  ["1024", "1024"],
  ["2048Ki", "2Mi"],
  ["1e3", "1e3"],
  ["12e6", "12e6"],
  ["1.5e-3", "1500e-6"],
  ["0.0000000001", "1n"],
  ["-0.0000000001", "-1n"],
  ["0.5Ki", "512"],
  ["0.1Ki", "102400m"],
  ["9223372036854775808Ki", "9223372036854775807"],
  ["8Ei", "9223372036854775807"],
  ["123456789012345678901", "123456789012345678901"],
  ["1Pi", "1Pi"],
  ["m", "0"],
  ["Ki", "0"],
  ["+", "0"],
  [".", "0"],
  ["Pi", undefined],
  ["1i", undefined],
  ["1mm", undefined],
  ["1KI", undefined],
  ["abc", undefined],
  ["1e", undefined],
  ["1.2.3", undefined],
  ["0x10", undefined],
  ["", undefined],
  ["1e99999", undefined],
];

function parsed(text: string): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new Error(`${text} is no quantity`);
  return quantity;
}

describe("quantities", () => {
  test.each(canonical)("%j is written %j", (text, expected) => {
    const quantity = parseQuantity(text);
    expect(quantity === undefined ? undefined : formatQuantity(quantity)).toBe(expected);
  });

  test.each([
    ["1Gi", "1024Mi", 0],
    ["1G", "1Gi", -1],
    ["100m", "0.1", 0],
    ["1", "999m", 1],
    ["-1", "0", -1],
    ["1e4000", "1", 1],
  ])("%s compared with %s is %i", (a, b, order) => {
    expect(compareQuantities(parsed(a), parsed(b))).toBe(order);
    expect(compareQuantities(parsed(b), parsed(a))).toBe(0 - order);
  });

  test.each([
    ["1Gi", "1Mi", "1025Mi"],
    ["0", "1Ki", "1Ki"],
    ["10", "10m", "10010m"],
    ["1e3", "1", "1001"],
  ])("%s + %s is %s", (a, b, sum) => {
    expect(formatQuantity(addQuantities(parsed(a), parsed(b)))).toBe(sum);
  });

  test("a quotient is cut at the finer of both scales", () => {
    const quotient = (a: string, b: string) => {
      const result = divideQuantities(parsed(a), parsed(b));
      return result === undefined ? undefined : formatQuantity(result);
    };
    expect(quotient("10", "3")).toBe("3");
    expect(quotient("10Ki", "2.5")).toBe("4Ki");
    expect(quotient("5M", "2e6")).toBe("0");
    expect(quotient("1", "0")).toBeUndefined();
  });

  test("products keep every digit", () => {
    expect(formatQuantity(multiplyQuantities(parsed("1.5Gi"), parsed("2")))).toBe("3Gi");
    expect(formatQuantity(multiplyQuantities(parsed("10m"), parsed("0.001")))).toBe("10u");
  });

  test("large decimals keep to the suffixes that exist", () => {
    expect(formatQuantity(integerQuantity(10n ** 21n, "DecimalSI"))).toBe("1000E");
    expect(formatQuantity(integerQuantity(2n ** 70n, "BinarySI"))).toBe("1024Ei");
  });

  const texts = fc
    .tuple(fc.integer(), fc.constantFrom("", "m", "k", "Ki", "M", "Mi", "G", "Gi", "e3", ".5", ".25Gi"))
    .map(([n, suffix]) => `${n}${suffix}`);

  test("what is written can be read, and means the same", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const quantity = parsed(text);
        const { text: _, ...value } = quantity;
        expect(compareQuantities(parsed(formatQuantity(quantity)), quantity)).toBe(0);
        expect(compareQuantities(parsed(formatQuantity(value)), quantity)).toBe(0);
      }),
    );
  });

  test("addition and subtraction undo each other, and order follows the number", () => {
    fc.assert(
      fc.property(texts, texts, (x, y) => {
        const [a, b] = [parsed(x), parsed(y)];
        expect(compareQuantities(subtractQuantities(addQuantities(a, b), b), a)).toBe(0);
        expect(compareQuantities(addQuantities(a, b), addQuantities(b, a))).toBe(0);
        if (quantityToNumber(a) < quantityToNumber(b)) expect(compareQuantities(a, b)).toBe(-1);
      }),
    );
  });
});
