import { ScrollArea } from "@mantine/core";

interface Line {
  readonly text: string;
  readonly marked: boolean;
}

type Path = readonly (string | number)[];

/**
 * A value as YAML, with the lines of `mark` (a path into it) shown as the ones to blame; of something that is missing, the
 * line under which it would stand.
 */
export function YamlView({ value, mark, label }: { readonly value: unknown; readonly mark: Path; readonly label: string }) {
  const lines = markedLines(value, mark);
  return (
    <ScrollArea.Autosize mah={480} type="auto" viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}>
      <pre style={{ margin: 0, fontSize: 12, lineHeight: 1.5 }}>
        {lines.map((line, i) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text have no other identity.
            key={i}
            style={
              line.marked
                ? { background: "var(--mantine-color-red-light)", borderLeft: "3px solid var(--mantine-color-red-filled)" }
                : { borderLeft: "3px solid transparent" }
            }
          >
            {line.text}
          </div>
        ))}
      </pre>
    </ScrollArea.Autosize>
  );
}

function markedLines(value: unknown, mark: Path): readonly Line[] {
  const there = mark.slice(0, depthOf(value, mark));
  const lines = linesOf(value, "", [], there);
  if (there.length === mark.length) return lines;
  const first = lines.findIndex(({ marked }) => marked);
  return lines.map((line, i) => ({ ...line, marked: i === first }));
}

/** How many steps of a path there are in a value. */
function depthOf(value: unknown, path: Path): number {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return 0;
  return 1 + depthOf(Object.entries(value).find(([key]) => key === String(step))?.[1], rest);
}

/** A value as lines of YAML. */
export function yamlLines(value: unknown): readonly string[] {
  return linesOf(value, "", [], []).flatMap(({ text }) => text.split("\n"));
}

function linesOf(value: unknown, indent: string, path: Path, mark: Path): readonly Line[] {
  const inside = mark.length > 0 && path.length >= mark.length && mark.every((step, i) => path[i] === step);
  const line = (text: string): Line => ({ text: `${indent}${text}`, marked: inside });
  if (Array.isArray(value)) {
    if (value.length === 0) return [line("[]")];
    return value.flatMap((item, i) => {
      const [first, ...rest] = linesOf(item, `${indent}  `, [...path, i], mark);
      return first === undefined ? [] : [{ ...first, text: `${indent}- ${first.text.slice(indent.length + 2)}` }, ...rest];
    });
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return [line("{}")];
    return entries.flatMap(([key, item]) => {
      const at = [...path, key];
      const nested = typeof item === "object" && item !== null && Object.keys(item).length > 0;
      const marked = mark.length > 0 && at.length >= mark.length && mark.every((step, i) => at[i] === step);
      if (!nested) return [{ text: `${indent}${key}: ${scalar(item, indent)}`, marked }];
      return [{ text: `${indent}${key}:`, marked }, ...linesOf(item, Array.isArray(item) ? indent : `${indent}  `, at, mark)];
    });
  }
  return [line(scalar(value, indent))];
}

function scalar(value: unknown, indent: string): string {
  if (typeof value !== "string")
    return typeof value === "object" && value !== null ? (Array.isArray(value) ? "[]" : "{}") : String(value);
  if (value.includes("\n"))
    return `|\n${value
      .trimEnd()
      .split("\n")
      .map((text) => `${indent}  ${text}`)
      .join("\n")}`;
  return /^[\w./@-][\w ./@:=,()*-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|[\d.+-]+)$/i.test(value) &&
    !/: |\s$/.test(value)
    ? value
    : JSON.stringify(value);
}
