/** The JMESPath expression for the place `path` of a document (`/spec/containers/0`), as `{{ @ }}` means it. */
export function pathToJmesPath(steps: readonly string[]): string {
  let text = "";
  for (const step of steps) {
    if (/^\+?\d+$/.test(step)) text += `[${step.replace("+", "")}]`;
    else text += `${text === "" ? "" : "."}${/^[A-Za-z_(][A-Za-z0-9_)]*$/.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}

/** The steps of a path in which `\/` is a slash inside a key, and quotes may enclose one. */
export function parsePath(path: string): readonly string[] {
  const steps: string[] = [];
  let step = "";
  let quoted = false;
  for (let i = 0; i < path.length; i++) {
    const char = path.charAt(i);
    if (char === "\\") step += path.charAt(++i);
    else if (char === '"') quoted = !quoted;
    else if (char === "/" && !quoted) {
      if (step !== "") steps.push(step);
      step = "";
    } else step += char;
  }
  if (step !== "") steps.push(step);
  return steps;
}
