import { Button, ScrollArea, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { type DiffPart, folded, lineDiff } from "./line-diff.ts";
import { yamlLines } from "./yaml-view.tsx";

const context = 3;
const looks = {
  same: { sign: " ", background: undefined, edge: "transparent" },
  removed: { sign: "-", background: "var(--mantine-color-red-light)", edge: "var(--mantine-color-red-filled)" },
  added: { sign: "+", background: "var(--mantine-color-green-light)", edge: "var(--mantine-color-green-filled)" },
} as const;

interface ObjectDiffProps {
  /** Undefined: there is none yet. */
  readonly before: object | undefined;
  /** Undefined: it goes away. */
  readonly after: object | undefined;
}

/** An object before and after, as YAML, with the lines that change marked by colour and by sign. */
export function ObjectDiff({ before, after }: ObjectDiffProps) {
  const [whole, setWhole] = useState(false);
  const lines = lineDiff(before === undefined ? [] : yamlLines(before), after === undefined ? [] : yamlLines(after));
  const parts: readonly DiffPart[] = whole ? lines : folded(lines, context);
  const count = (change: DiffPart["change"]) => lines.filter((line) => line.change === change).length;
  return (
    <Stack gap={4}>
      <Text size="sm" c="dimmed">
        {before === undefined ? "A new object: " : after === undefined ? "The object goes away: " : ""}
        lines added: {count("added")}, removed: {count("removed")}
      </Text>
      <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, role: "region", "aria-label": "What changes" }}>
        <pre style={{ margin: 0, fontSize: 12, lineHeight: 1.5 }}>
          {parts.map((part, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text have no other identity.
            <DiffRow key={i} part={part} />
          ))}
        </pre>
      </ScrollArea.Autosize>
      {lines.length > parts.length && (
        <Button variant="default" size="compact-xs" style={{ alignSelf: "start" }} onClick={() => setWhole(true)}>
          Show all {lines.length} lines
        </Button>
      )}
    </Stack>
  );
}

function DiffRow({ part }: { readonly part: DiffPart }) {
  if (part.change === "folded")
    return <div style={{ color: "var(--mantine-color-dimmed)" }}>{`  ... ${part.lines} lines that stay`}</div>;
  const { sign, background, edge } = looks[part.change];
  return <div style={{ background, borderLeft: `3px solid ${edge}` }}>{`${sign} ${part.text}`}</div>;
}
