import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DrawingOnly } from "./terminal-output.ts";

const shown = (...texts: readonly string[]) => {
  const filter = new DrawingOnly();
  return texts.map((text) => filter.push(text)).join("");
};

describe("what a recording may do to a terminal", () => {
  test.each([
    ["text and layout", "ls\r\n\ta\b", "ls\r\n\ta\b"],
    ["colours", "\u001b[1;31mred\u001b[0m", "\u001b[1;31mred\u001b[0m"],
    ["cursor and erasing", "\u001b[2J\u001b[H\u001b[10;5Hx\u001b[K", "\u001b[2J\u001b[H\u001b[10;5Hx\u001b[K"],
    ["the other screen and the cursor", "\u001b[?1049h\u001b[?25l", "\u001b[?1049h\u001b[?25l"],
    ["no writing to the clipboard", "a\u001b]52;c;cm0gLXJm\u0007b", "ab"],
    ["no title", "a\u001b]0;title\u001b\\b", "ab"],
    ["no device control", "a\u001bP$q\u001b\\b", "ab"],
    ["no question that the terminal answers as if typed", "a\u001b[6n\u001b[c\u001b[>0q\u001bZb", "ab"],
    ["no mouse or paste modes", "a\u001b[?1000h\u001b[?2004hb", "ab"],
    ["no window operations", "a\u001b[21tb", "ab"],
    ["no eight-bit forms", "a\u009d52;c;cm0=\u009cb", "ab"],
    ["no keys that are loaded", "a\u001b[1;2p\u001bcb", "ab"],
    ["no bell", "a\u0007b", "ab"],
  ])("%s", (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test("a sequence in parts is one sequence", () => {
    const text = "x\u001b[31my\u001b]52;c;AAAA\u0007z\u001b[6n\u001b[0m";
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        expect(shown(...places.slice(1).map((end, i) => text.slice(places[i], end)))).toBe("x\u001b[31myz\u001b[0m");
      }),
    );
  });
});
