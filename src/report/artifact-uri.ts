const absolute = /^(\/|[A-Za-z]:[\\/])/;

/** A file's name as a URI reference: relative names stay relative, as code-scanning viewers need them. */
export function artifactUri(file: string): string {
  if (file === "-") return "stdin";
  const path = file.replaceAll("\\", "/").replace(/^(\.\/+)+/, "");
  const encoded = path
    .split("/")
    .map((segment) => encodeURIComponent(segment).replaceAll("%3A", ":").replaceAll("%40", "@"))
    .join("/");
  if (!absolute.test(file)) return encoded.includes(":") ? `./${encoded}` : encoded;
  return encoded.startsWith("/") ? `file://${encoded}` : `file:///${encoded}`;
}
