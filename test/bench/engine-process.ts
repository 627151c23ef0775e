import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { scanObjects } from "../../src/services/scan-objects.ts";
import { scannedFacts } from "../../src/services/scanned-facts.ts";
import { scannedObjects } from "../../src/services/scanned-objects.ts";

// What the engine takes of a scan, in a process that starts cold: `engine-process.ts POLICIES OBJECTS`. Places, ids and fixes
// of findings are worked out when a report asks for them; a whole run has them in it.
const [policies = "", objects = ""] = process.argv.slice(2);
const resources = loadKubernetesSchemas().resources();
const texts = (await loadPaths([policies])).documents;
const scanned = scannedObjects((await loadPaths([objects])).documents, "default", resources);
const facts = scannedFacts({ objects: scanned.objects.map((d) => d.value), resources, complete: false });
const host = { now: () => 0, random: () => 0 };
const start = process.cpuUsage();
const compiled = compilePolicies(texts, resources);
const compile = process.cpuUsage(start);
const between = process.cpuUsage();
scanObjects({ objects: scanned.objects, policies: compiled.set, resources, facts, host, passes: false, workloads: undefined });
const judge = process.cpuUsage(between);
const milliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;
process.stdout.write(JSON.stringify({ compile: milliseconds(compile), judge: milliseconds(judge) }));
