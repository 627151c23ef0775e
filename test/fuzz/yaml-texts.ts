import fc from "fast-check";
import { type DocumentOptions, stringify, type ToStringOptions } from "yaml";
import type { JsonValue } from "../../src/core/json.ts";

const lookalikes = [
  "y",
  "no",
  "on",
  "true",
  "null",
  "~",
  "",
  " ",
  "0777",
  "0x1F",
  "1e3",
  ".5",
  "1.",
  "12:30:45",
  "2001-01-01",
  ".inf",
  "- a",
  "a: b",
  "a #b",
  "#",
  "---",
  "...",
  "[",
  "{",
  "&a",
  "*a",
  "!t",
  "|",
  ">",
  "%",
  "@",
  "`",
  "'",
  '"',
  "\\",
  "=",
  "?",
  "? a",
  ":",
  "-",
  "a\nb",
  "a\n\nb\n",
  "\n",
  " a",
  "a ",
  "\ta",
  "a\tb",
  "  \n a",
  "a: |\n  b",
  "__proto__",
  "é",
  "😀",
  "{{ a }}",
  "key: 'x'\nb",
];

/**
 * Numbers that go-yaml reads and the library that writes does not: it would leave them plain. Lines of nothing but
 * white space are left out as well, since it writes them wrong in block scalars.
 */
const onlyGoReads = /^[-+]?0[oOXB]|^[-+.\d][-+.\d_eExXbB]*_/;

function strings(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.constantFrom(...lookalikes),
      fc.string({ maxLength: 12 }),
      fc.lorem({ maxCount: 30 }),
      fc.constantFrom("a", "b", "name"),
    )
    .filter((text) => !onlyGoReads.test(text) && !/^[ \t]+$/m.test(text));
}

function floats(): fc.Arbitrary<number> {
  // What reads as an integer is one, see scalars.ts.
  return fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => value + 0);
}

/** What JSON can say, with the texts and numbers that YAML could take for something else. */
export const jsonValues: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      strings(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
      floats(),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    // The merge key is written plain, and is then no name.
    fc.dictionary(
      strings().filter((key) => key !== "<<"),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

const styles: fc.Arbitrary<ToStringOptions> = fc.record({
  indent: fc.integer({ min: 1, max: 8 }),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 100),
  collectionStyle: fc.constantFrom("any", "block", "flow"),
  defaultStringType: fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL", "BLOCK_FOLDED"),
  defaultKeyType: fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", null),
  blockQuote: fc.constantFrom<(boolean | "folded" | "literal")[]>(true, false, "folded", "literal"),
  flowCollectionPadding: fc.boolean(),
});

/** A value and a YAML text that says it, written by another library in some style. */
export const yamlTexts: fc.Arbitrary<{ readonly value: JsonValue; readonly text: string }> = fc
  .record({ value: jsonValues, style: styles, breaks: fc.constantFrom("\n", "\n", "\r\n") })
  .map(({ value, style, breaks }) => {
    const options: ToStringOptions & DocumentOptions = { ...style, version: "1.1" };
    const text = stringify(value, { ...options, aliasDuplicateObjects: false });
    return { value, text: text.replaceAll("\n", breaks) };
  })
  // The library miscounts the indentation that it writes into block headers inside nested sequences.
  .filter(({ text }) => !/[|>][1-9]/.test(text) && !hasBracketsBelowKey(text));

/** Sometimes the library writes brackets right below their key, not indented: that is no YAML. */
function hasBracketsBelowKey(text: string): boolean {
  const lines = text.split(/\r?\n/);
  return lines.some((line, index) => {
    const column = /^ *(?=[[{])/.exec(line)?.[0].length;
    return (
      column !== undefined &&
      /^(?:- |\s)*/.exec(lines[index - 1] ?? "")?.[0].length === column &&
      /:$/.test(lines[index - 1] ?? "")
    );
  });
}

/** Pieces of YAML in any order: seldom valid, never to be feared. */
export const yamlSoup: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\n",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "  ",
        " ",
        "\t",
        "\r\n",
        "- ",
        "a",
        "b: ",
        "a:",
        ": ",
        "x",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ",",
        "&x ",
        "*x",
        "!!str ",
        "!t ",
        "|\n",
        ">-\n",
        "? ",
        "#c",
        " #c\n",
        "---\n",
        "\n...\n",
        "%YAML 1.1\n",
        "<<: *x\n",
        "\\",
        "\\n",
        "0777",
        "~",
        "\u0000",
        "\ufeff",
        "\ud800",
        "\u2028",
        "😀",
        "kind: List\napiVersion: v1\nitems:\n",
      ),
      fc.string({ maxLength: 5, unit: "binary" }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

/** A text with some of its characters changed. */
export function damaged(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .record({
      text: texts,
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.oneof(fc.constant(""), fc.constantFrom(..." \n\t#:-'\"[]{},|>&*!%\\".split("")), fc.string({ maxLength: 2 })),
    })
    .map(({ text, at, remove, insert }) => {
      const place = text.length === 0 ? 0 : at % text.length;
      return text.slice(0, place) + insert + text.slice(place + remove);
    });
}
