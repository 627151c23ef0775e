const keywords: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

export function isKeyword(name: string): boolean {
  return keywords.has(name);
}

const replacements = new Map([
  ["__", "__underscores__"],
  [".", "__dot__"],
  ["-", "__dash__"],
  ["/", "__slash__"],
]);
const originals = new Map(Array.from(replacements, ([text, escaped]) => [escaped.slice(2, -2), text]));

/** The identifier by which an expression reads a field; undefined where the name cannot be escaped. */
export function escapeName(name: string): string | undefined {
  if (name === "" || /^\d/.test(name)) return undefined;
  if (keywords.has(name)) return `__${name}__`;
  if (/[^a-zA-Z0-9_./-]/.test(name)) return undefined;
  return name.replace(/__|[-./]/g, (part) => replacements.get(part) ?? part);
}

/** The name of the field that an identifier stands for; undefined where it holds a wrong escape. */
export function unescapeName(identifier: string): string | undefined {
  let sound = true;
  const name = identifier.replace(/__([^_]+)__/g, (part, inside: string) => {
    const original = originals.get(inside) ?? (keywords.has(inside) && part === identifier ? inside : undefined);
    if (original === undefined) sound = false;
    return original ?? "";
  });
  return sound ? name : undefined;
}
