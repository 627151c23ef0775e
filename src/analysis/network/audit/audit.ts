import type { Finding } from "../../../core/finding.ts";
import type { ComponentCatalogue } from "../catalogue/component.ts";
import type { Network } from "../model.ts";
import { readService } from "../world/services.ts";
import { auditContext } from "./context.ts";
import { directionIssues } from "./directions.ts";
import { exposedIssues } from "./exposed.ts";
import { toFinding } from "./issue.ts";
import { redundantIssues } from "./redundant.ts";
import { ruleIssues } from "./rules.ts";
import { sideIssues } from "./sides.ts";

/** What is wrong with who may talk to whom. */
export function auditNetwork(network: Network, components: ComponentCatalogue): readonly Finding[] {
  const context = auditContext(network, components);
  const fallback = network.options.namespace ?? "default";
  const services = network.documents.flatMap((document) => readService(document, fallback) ?? []);
  return [
    ...directionIssues(context),
    ...ruleIssues(context, services),
    ...sideIssues(context),
    ...redundantIssues(context),
    ...exposedIssues(context),
  ].map(toFinding);
}
