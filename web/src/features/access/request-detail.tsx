import { Alert, Anchor, Card, Code, Group, List, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { describeDuration } from "../../../../src/access/describe-ask.ts";
import { useNow } from "../../clock.ts";
import { ObjectDiff } from "../../components/object-diff.tsx";
import { useDocumentTitle } from "../../components/page-title.tsx";
import { Time } from "../../components/state.tsx";
import { yamlLines } from "../../components/yaml-view.tsx";
import type { RequestDetailView, RequestView, Risk, SimilarDecision } from "./access-api.ts";
import { Slots } from "./slots.tsx";
import { askText, BreakGlass, Phase, personText, whoReviews } from "./wording.tsx";

/** Everything that somebody needs to know who decides on a request, or who waits for the decision. */
export function RequestDetail({ request, children }: { readonly request: RequestDetailView; readonly children?: ReactNode }) {
  const { ask } = request;
  useDocumentTitle(`${request.requester.user}: ${askText(request)}`);
  return (
    <Stack gap="md">
      <Group gap="xs">
        <Phase request={request} />
        {request.breakGlass && <BreakGlass />}
        <Text size="sm" c="dimmed">
          {request.id}
        </Text>
      </Group>
      <Title order={3} size="h4" style={{ wordBreak: "break-word" }}>
        {personText(request.requester)} asks for: {askText(request)}
      </Title>
      {request.risk === undefined ? (
        <Alert color="yellow" title="Risk not known">
          What the rule gives could not be analysed.
        </Alert>
      ) : (
        <RiskNote risk={request.risk} />
      )}
      {ask.type === "action" && (
        <Section title="What changes">
          <Exactly ask={ask} mayDecide={request.mayDecide} />
        </Section>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Card withBorder>
          <Facts request={request} />
        </Card>
        <Card withBorder>
          <Section title="Who has to agree">
            <Slots request={request} />
          </Section>
          {(request.mayDecide || request.similar.length > 0) && (
            <Section title="Similar requests before">
              <Similar items={request.similar} />
            </Section>
          )}
        </Card>
      </SimpleGrid>
      {children}
    </Stack>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Stack gap={6} mb="sm">
      <Title order={4} size="h6">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

const unknownObject = "The object is not known here, before or after.";
const hiddenObject = "What becomes of the object is shown to those who decide, where it is known.";

interface ExactlyProps {
  readonly ask: Extract<RequestView["ask"], { readonly type: "action" }>;
  readonly mayDecide: boolean;
}

function Exactly({ ask, mayDecide }: ExactlyProps) {
  const { preview, action } = ask;
  const isRead = ["get", "list", "watch"].includes(action.verb);
  return (
    <>
      <Code block style={{ whiteSpace: "pre-wrap", wordBreak: "break-all" }}>
        {action.http.method} {action.http.target}
      </Code>
      {preview?.before !== undefined || preview?.after !== undefined ? (
        <ObjectDiff before={preview.before} after={preview.after} />
      ) : (
        <Text size="sm">{isRead ? "Nothing: it only reads." : mayDecide ? unknownObject : hiddenObject}</Text>
      )}
      {preview?.unread === true && (
        <Text size="sm" fw={600}>
          What is sent cannot be read: it is binary, compressed, or says something twice.
        </Text>
      )}
      {preview?.sent !== undefined && preview.after === undefined && (
        <>
          <Text size="sm">What is sent:</Text>
          <Code block style={{ whiteSpace: "pre-wrap", wordBreak: "break-all" }}>
            {yamlLines(preview.sent).join("\n")}
          </Code>
        </>
      )}
    </>
  );
}

function Facts({ request }: { readonly request: RequestView }) {
  const now = useNow();
  const { ask, grant } = request;
  const rows: (readonly [string, ReactNode])[] = [
    ["Why", request.reason === "" ? "no reason was given" : request.reason],
    ["Who", `${request.requester.user}, of ${request.requester.groups.join(", ") || "no group"}`],
    ["Cluster", request.cluster],
    ["Asked", <Time key="asked" at={request.opened} />],
  ];
  if (request.phase === "pending")
    rows.push([
      "Lapses",
      <span key="lapses">
        <Time at={request.pendingUntil} />, in {describeDuration(request.pendingUntil - now)}
      </span>,
    ]);
  rows.push(["Once approved", lifetime(request)]);
  if (grant !== undefined)
    rows.push([
      "Granted",
      <span key="granted">
        <Time at={grant.from} /> until <Time at={grant.until} />
      </span>,
    ]);
  if (ask.type === "action" && grant !== undefined) rows.push(["Use", grant.use === "live" ? "once, not used yet" : grant.use]);
  if (ask.type === "exception") rows.push(["Exception until", <Time key="until" at={ask.until} />]);
  if (request.role !== undefined) rows.push(["Role", roleText(request)]);
  rows.push(["Rule", request.rule.name]);
  if (request.guardrails.length > 0) rows.push(["Lifts", request.guardrails.join(", ")]);
  if (request.ended !== undefined)
    rows.push([
      "Ended",
      <span key="ended">
        <Time at={request.ended.at} />: {request.ended.why}
        {request.ended.by === undefined ? "" : `, by ${personText(request.ended.by)}`}
      </span>,
    ]);
  if (request.breakGlass && request.reviewed === undefined) rows.push(["To be reviewed", whoReviews(request)]);
  if (request.reviewed !== undefined)
    rows.push(["Reviewed", `by ${personText(request.reviewed.by)}: ${request.reviewed.comment}`]);
  return (
    <Table withRowBorders={false} verticalSpacing={3}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w={120} style={{ verticalAlign: "top" }}>
              {name}
            </Table.Th>
            <Table.Td style={{ wordBreak: "break-word" }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** A single call goes by the role's rights, and is all of them that is used. */
const roleText = ({ role, ask }: RequestView): string =>
  `${role?.kind} ${role?.name}${ask.type === "session" ? ` in ${ask.namespace}` : ", for this call alone"}`;

function lifetime({ ask, grantMilliseconds }: RequestView): string {
  if (ask.type === "action") return `exactly this call, once, within ${describeDuration(grantMilliseconds)}`;
  return `for ${describeDuration(grantMilliseconds)} from the approval`;
}

/** From here on a decision takes two steps. */
export const highRisk = 70;

function RiskNote({ risk }: { readonly risk: Risk }) {
  const isHigh = risk.score >= highRisk;
  return (
    <Alert
      color={isHigh ? "red" : risk.score >= 30 ? "yellow" : "gray"}
      title={`Risk ${risk.score} of 100, by what it would give`}
    >
      {risk.reasons.length === 0 ? (
        "The analysis of rights sees no way from it to more."
      ) : (
        <List size="sm">
          {risk.reasons.map((reason) => (
            <List.Item key={reason}>{reason}</List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}

function Similar({ items }: { readonly items: readonly SimilarDecision[] }) {
  if (items.length === 0) return <Text size="sm">There were none.</Text>;
  return (
    <List size="sm">
      {items.map((item) => (
        <List.Item key={item.id}>
          <Anchor inherit component={Link} href={`/access/requests/${item.id}`} underline="always">
            {item.user}
          </Anchor>
          : {item.phase}
          {item.decidedBy.length === 0 ? "" : ` by ${item.decidedBy.join(", ")}`}, <Time at={item.at} />
          {item.comment === "" ? "" : `: ${item.comment}`} ({item.alike.join(", ")})
        </List.Item>
      ))}
    </List>
  );
}
