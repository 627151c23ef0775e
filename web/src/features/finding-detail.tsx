import { Anchor, Code, Group, List, Stack, Text, Title } from "@mantine/core";
import { Link, useSearchParams } from "wouter";
import { type Answer, query, useAnswer } from "../api.ts";
import { ObjectDiff } from "../components/object-diff.tsx";
import { DocumentTitle } from "../components/page-title.tsx";
import { SeverityBadge, Answer as Shown } from "../components/state.tsx";
import { YamlView } from "../components/yaml-view.tsx";

type Finding = Answer<"/api/v1/findings/{id}">;

/** Exceptions are from policies of one's own; the built-in checks stop nobody, and guardrails have approvals. */
function Exception({ finding }: { readonly finding: Finding }) {
  const own = useAnswer("/api/v1/policies", { query: { cluster: finding.cluster } }).value?.items ?? [];
  const apiVersion = finding.object?.["apiVersion"];
  const isOwn = own.some(({ name }) => name === finding.policy) && !finding.policy.startsWith("castellan.dev/");
  if (!isOwn || typeof apiVersion !== "string") return null;
  const object = `${finding.kind}/${finding.namespace}/${finding.name}`;
  const { policy: exception, rule, cluster } = finding;
  return (
    <Text size="sm">
      It cannot be put right in time?{" "}
      <Anchor component={Link} href={`/access/new${query({ exception, rule, object, apiVersion, cluster })}`}>
        Ask for an exception
      </Anchor>
    </Text>
  );
}

/** The fix as a diff of the object; a patch that fits the object no longer is shown as it is written. */
function FixedObject({ finding, fix }: { readonly finding: Finding; readonly fix: NonNullable<Finding["fix"]> }) {
  if (fix.after !== undefined) return <ObjectDiff before={fix.isNew === true ? undefined : finding.object} after={fix.after} />;
  if (fix.patch === undefined) return null;
  return (
    <Code block style={{ whiteSpace: "pre-wrap", wordBreak: "break-word" }}>
      {fix.patch.map((step) => JSON.stringify(step)).join("\n")}
    </Code>
  );
}

/** A finding with all that explains it, and what would put it right. */
export function FindingDetail({ id }: { readonly id: string }) {
  const [search] = useSearchParams();
  const cluster = search.get("of") ?? undefined;
  const state = useAnswer("/api/v1/findings/{id}", { path: { id }, query: { cluster } });
  return (
    <Shown state={state}>
      {(finding) => (
        <Stack gap="sm">
          <DocumentTitle text={`${finding.kind} ${finding.name}: ${finding.title || finding.policy}`} />
          <Group>
            <SeverityBadge severity={finding.severity} />
            <Text fw={600}>
              {finding.kind} {finding.namespace === "" ? "" : `${finding.namespace}/`}
              {finding.name}
            </Text>
          </Group>
          <Text>{finding.message}</Text>
          <List size="sm">
            <List.Item>
              <Anchor component={Link} href={`/findings${query({ policy: finding.policy, cluster })}`}>
                {finding.policy}
              </Anchor>{" "}
              rule {finding.rule}
            </List.Item>
            {finding.location !== undefined && (
              <List.Item>
                {finding.location.file}:{finding.location.line}:{finding.location.column}
              </List.Item>
            )}
            {finding.controls.length > 0 && <List.Item>Controls: {finding.controls.join(", ")}</List.Item>}
          </List>
          {finding.fix !== undefined && (
            <>
              <Title order={3} size="h6">
                How to put it right
              </Title>
              <Text size="sm">{finding.fix.description}</Text>
              <FixedObject finding={finding} fix={finding.fix} />
            </>
          )}
          <Exception finding={finding} />
          {finding.evidence !== undefined && (
            <>
              <Title order={3} size="h6">
                Evidence
              </Title>
              <YamlView value={finding.evidence} mark={[]} label="Evidence" />
            </>
          )}
          {finding.object !== undefined && (
            <>
              <Title order={3} size="h6">
                The object
              </Title>
              <YamlView value={finding.object} mark={finding.at} label="The object" />
            </>
          )}
        </Stack>
      )}
    </Shown>
  );
}
