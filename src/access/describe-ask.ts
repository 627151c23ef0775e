import type { Ask } from "./request.ts";
import type { RequestedAction } from "./requested-action.ts";

/** `delete pods/web-0 in nlp`, as people say it: never the raw target, whose query may hold what was typed. */
function describeAction(action: RequestedAction): string {
  if (!action.isResourceRequest) return `${action.verb} ${action.path}`;
  const type = action.apiGroup === "" ? action.resource : `${action.resource}.${action.apiGroup}`;
  const name = action.name === "" ? "" : `/${action.name}`;
  const part = action.subresource === "" ? "" : ` (${action.subresource})`;
  const where = action.namespace === "" ? "" : ` in ${action.namespace}`;
  return `${action.verb} ${type}${name}${part}${where}${action.dryRun ? " (dry run)" : ""}`;
}

/** What is asked for, in one line. */
export function describeAsk(ask: Ask, rule: string): string {
  switch (ask.type) {
    case "action":
      return describeAction(ask.action);
    case "session":
      return `${rule} in ${ask.namespace} for ${describeDuration(ask.milliseconds)}`;
    case "exception": {
      const { kind, namespace, name } = ask.object;
      const where = namespace === "" ? "" : ` in ${namespace}`;
      return `${kind}/${name}${where} may break ${ask.policy} until ${new Date(ask.until).toISOString()}`;
    }
  }
}

/** `2h 30m`; less than a second is `0s`. */
export function describeDuration(milliseconds: number): string {
  let seconds = Math.floor(milliseconds / 1000);
  const parts: string[] = [];
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}
