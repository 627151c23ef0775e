import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer } from "../../components/state.tsx";
import type { Done } from "../../session.ts";
import { useUser } from "../../session.ts";
import { type ChatLink, linkChat, useChatLink } from "./access-api.ts";

/** Says that a chat user is me. The link that the chat gave only shows this page; the button acts. */
export function ChatLinkPage() {
  const [search] = useSearchParams();
  const code = search.get("code") ?? "";
  const [done, setDone] = useState<Done<ChatLink>>();
  return (
    <Stack maw={640}>
      <PageTitle text="Link a chat user" />
      {done === undefined ? <Confirm code={code} done={setDone} /> : <Linked answer={done} />}
    </Stack>
  );
}

function Confirm({ code, done }: { readonly code: string; readonly done: (answer: Done<ChatLink>) => void }) {
  const state = useChatLink(code);
  const user = useUser();
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    done(await linkChat(code));
  };
  return (
    <Answer state={state}>
      {(link) => (
        <>
          <Text>
            From now on the {link.chat} user {link.name} decides on requests in the name of {user?.name ?? "you"}. Go on only if
            that is you, and you have just asked for this link.
          </Text>
          <Group>
            <Button loading={busy} onClick={() => void confirm()}>
              That is me: link it
            </Button>
          </Group>
        </>
      )}
    </Answer>
  );
}

function Linked({ answer }: { readonly answer: Done<ChatLink> }) {
  return answer.ok ? (
    <Alert color="green" title="It is linked" role="status">
      {answer.value.name} can approve and deny in {answer.value.chat} now.
    </Alert>
  ) : (
    <Alert color="red" title="It was not linked" role="alert">
      {answer.message}
    </Alert>
  );
}
