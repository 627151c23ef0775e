import { describe, expect, test } from "vitest";
import type { NetworkGraph } from "../core/network-graph.ts";
import { layeredLayout } from "./network-layout.ts";
import { svg } from "./network-svg.ts";
import { csvTable, jsonTable, markdownTable, textTable } from "./network-table.ts";
import { dot, mermaid } from "./network-text.ts";

const table = {
  columns: ["A", "B"],
  rows: [
    ["x|y", 'say "hi", you'],
    ["=1+1", "two\nlines\u001b[31m"],
  ],
};

describe("tables", () => {
  test("a terminal sees no control characters, and columns line up", () =>
    expect(textTable(table, false)).toBe('A     B\nx|y   say "hi", you\n=1+1  two lines\\u001b[31m\n'));
  test("CSV quotes, and gives no formula to a spreadsheet", () =>
    expect(csvTable(table)).toBe('A,B\r\nx|y,"say ""hi"", you"\r\n\'=1+1,"two\nlines\u001b[31m"\r\n'));
  test("Markdown escapes", () => expect(markdownTable(table).split("\n")[2]).toBe('| x\\|y | say "hi", you |'));
  test("JSON has names", () => expect(jsonTable(table)[0]).toEqual({ A: "x|y", B: 'say "hi", you' }));
});

const graph: NetworkGraph = {
  title: 'a "title" <b>',
  nodes: [
    { id: "a", label: 'front"end', group: "n<1>", kind: "workload", members: ["a"] },
    { id: "b", label: "back", group: "n<1>", kind: "workload", members: ["b", "c"] },
    { id: "w", label: "any address", group: "", kind: "external", members: [] },
  ],
  edges: [
    { from: "a", to: "b", label: "TCP 80", change: "gained" },
    { from: "b", to: "a", label: "TCP 81", change: "lost" },
    { from: "w", to: "a", label: "TCP 443", change: "same" },
  ],
  notes: ["a note\nof two lines"],
};

describe("drawings", () => {
  test("DOT quotes", () => {
    expect(dot(graph)).toContain('"a" [label="front\\"end"];');
    expect(dot(graph)).toContain('"a" -> "b" [label="+ TCP 80", color=');
    expect(dot(graph)).toContain("  // a note of two lines");
  });
  test("Mermaid escapes, and tells gained from lost by sign and colour", () => {
    expect(mermaid(graph)).toContain('n0["front#34;end"]');
    expect(mermaid(graph)).toContain('n1 -->|"- TCP 81"| n0');
    expect(mermaid(graph)).toContain("linkStyle 0 stroke:#b3261e");
  });
  test("SVG escapes", () => {
    expect(svg(graph)).toContain("<title>a &quot;title&quot; &lt;b&gt;</title>");
    expect(svg(graph)).not.toContain("<b>");
  });
  test("circles end, boxes of one column do not overlap, and nothing is left of the drawing", () => {
    const placed = [...layeredLayout(graph).nodes.values()];
    expect(placed).toHaveLength(3);
    for (const a of placed) {
      expect(a.x).toBeGreaterThan(0);
      for (const b of placed) if (a !== b && a.x === b.x) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(a.height);
    }
  });
});
