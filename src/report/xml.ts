/** Characters that XML 1.0 cannot hold, or that readers change. */
const unrepresentable = /(?![\t\n])\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]/gu;

const entities: { readonly [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text fit for element content and attributes of XML and HTML. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(unrepresentable, "\uFFFD")
    .replace(/[&<>"']/g, (c) => entities[c] ?? c);
}

/** An element; attributes without a value are left out, line feeds in attributes are kept by a character reference. */
export function element(
  name: string,
  attributes: { readonly [name: string]: string | number | undefined },
  content: readonly string[] = [],
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeMarkup(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join("")}</${name}>`;
}
