/** The order in which a segmentation is built up: each step opens one kind of way. */
export const intentSteps = [
  { id: "deny", title: "Default deny", about: "nothing comes in or goes out" },
  { id: "basics", title: "Names and the API server", about: "DNS for everybody, the API server for those that call it" },
  { id: "existing", title: "What existing policies allow", about: "callers that ingress rules name may call" },
  { id: "entrances", title: "Entrances", about: "from outside to gateways, from gateways to what they serve" },
  { id: "inference", title: "Models, agents and tools", about: "who may ask models, and which tools agents reach" },
  { id: "data", title: "Data", about: "vector databases, databases, caches, stores and registries" },
  { id: "clusters", title: "Jobs and clusters", about: "parts of one Ray cluster or training job among themselves" },
  { id: "platform", title: "Platform", about: "operators, webhooks, user interfaces, identity" },
  { id: "monitoring", title: "Monitoring", about: "who reads metrics" },
  { id: "outside", title: "The outside", about: "model hubs, model providers, the internet" },
] as const;

export type IntentStep = (typeof intentSteps)[number]["id"];

const data: ReadonlySet<string> = new Set([
  "vector-db",
  "vector-db-node",
  "database",
  "cache",
  "object-store",
  "queue",
  "registry",
]);
const models: ReadonlySet<string> = new Set(["inference", "router", "llm-gateway", "agent", "mcp", "app", "tracing", "notebook"]);
const platform: ReadonlySet<string> = new Set(["controller", "ui", "auth", "mesh", "notebook-hub", "pipeline", "exporter"]);

/** The step that opens the way between two roles. */
export function stepBetween(from: string, to: string): IntentStep {
  if (from === "monitoring" || to === "monitoring") return "monitoring";
  if (from === "gateway") return "entrances";
  if (data.has(to)) return "data";
  if (to.startsWith("ray-")) return "clusters";
  if (platform.has(to)) return "platform";
  return models.has(to) ? "inference" : "platform";
}
