/** The shortest path that names the same place, as Go's path.Clean: `a//b/./c/..` is `a/b`; `.` for an empty path. */
export function cleanPath(path: string): string {
  const absolute = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!absolute) kept.push(part);
  }
  const clean = kept.join("/");
  return absolute ? `/${clean}` : clean || ".";
}

/** Joins path elements as Go's path.Join: empty elements vanish; empty where nothing is left. */
export function joinPath(...parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join("/");
  return text === "" ? "" : cleanPath(text);
}
