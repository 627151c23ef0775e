import { Alert, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { decide, type RequestDetailView, type RequestView } from "./access-api.ts";
import { highRisk } from "./request-detail.tsx";
import { askText, personText } from "./wording.tsx";

type Verdict = "approve" | "deny";

type Step =
  | { readonly at: "open" }
  | { readonly at: "confirm" }
  | { readonly at: "sent"; readonly verdict: Verdict }
  | { readonly at: "refused"; readonly message: string }
  | { readonly at: "done"; readonly verdict: Verdict; readonly request: RequestView };

/** Approve or deny. What it shows as decided is what the server said, never what was clicked. */
export function DecisionForm({ request }: { readonly request: RequestDetailView }) {
  const [comment, setComment] = useState("");
  const [step, setStep] = useState<Step>({ at: "open" });
  const result = useRef<HTMLDivElement>(null);
  // What is not known to be harmless is not approved by one key.
  const needsTwoSteps = request.breakGlass || request.risk === undefined || request.risk.score >= highRisk;
  const finished = step.at === "done" || step.at === "refused";
  // Whoever uses the keyboard or a screen reader is where the answer is.
  useEffect(() => {
    if (finished) result.current?.focus();
  }, [finished]);

  const send = async (verdict: Verdict) => {
    setStep({ at: "sent", verdict });
    const answer = await decide(request.id, verdict, comment);
    setStep(answer.ok ? { at: "done", verdict, request: answer.value } : { at: "refused", message: answer.message });
  };
  const approve = (event: FormEvent) => {
    event.preventDefault();
    if (needsTwoSteps) setStep({ at: "confirm" });
    else void send("approve");
  };

  if (step.at === "done")
    return (
      <Alert
        ref={result}
        tabIndex={-1}
        color={step.verdict === "approve" ? "green" : "gray"}
        title={doneTitle(step)}
        role="status"
      >
        {doneText(step)}
      </Alert>
    );
  if (!request.mayDecide && step.at !== "refused") return null;
  return (
    <form onSubmit={approve}>
      <Stack gap="sm">
        {step.at === "refused" && (
          <Alert ref={result} tabIndex={-1} color="red" title="It was not recorded" role="alert">
            {step.message}
          </Alert>
        )}
        <Textarea
          label="Comment"
          description="The requester and every auditor can read it."
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <Group>
          <Button
            type="submit"
            color="#237032"
            loading={step.at === "sent" && step.verdict === "approve"}
            disabled={step.at === "sent"}
          >
            {needsTwoSteps ? "Approve …" : "Approve"}
          </Button>
          <Button
            variant="default"
            c="var(--castellan-bad)"
            loading={step.at === "sent" && step.verdict === "deny"}
            disabled={step.at === "sent"}
            onClick={() => void send("deny")}
          >
            Deny
          </Button>
          {step.at === "sent" && (
            <Text size="sm" role="status">
              Being recorded …
            </Text>
          )}
        </Group>
      </Stack>
      <Modal
        opened={step.at === "confirm"}
        onClose={() => setStep({ at: "open" })}
        title={
          request.breakGlass
            ? "Approve break-glass access?"
            : request.risk === undefined
              ? "Approve what is of unknown risk?"
              : "Approve what is of high risk?"
        }
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Stack>
          <Text style={{ wordBreak: "break-word" }}>
            {personText(request.requester)} gets: {askText(request)}, on {request.cluster}.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" data-autofocus onClick={() => setStep({ at: "open" })}>
              Not yet
            </Button>
            <Button color="#c92a2a" onClick={() => void send("approve")}>
              Yes, approve it
            </Button>
          </Group>
        </Stack>
      </Modal>
    </form>
  );
}

type DoneStep = Extract<Step, { readonly at: "done" }>;

function doneTitle({ verdict }: DoneStep): string {
  return verdict === "approve" ? "Your approval is recorded" : "Your refusal is recorded";
}

function doneText({ verdict, request }: DoneStep): string {
  if (verdict === "deny") return "The request is denied.";
  if (request.phase === "granted") return `It is granted to ${personText(request.requester)}.`;
  if (request.phase === "pending") return "More people have to agree before it is granted.";
  return `The request is ${request.ended?.why ?? request.phase}.`;
}
