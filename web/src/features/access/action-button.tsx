import { Alert, Button, type ButtonProps, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { Done } from "../../session.ts";

interface ActionButtonProps {
  readonly label: string;
  /** What will happen, in a sentence. */
  readonly explain: string;
  /** Asked for, where a reason is kept. */
  readonly reason?: "required" | "optional";
  readonly reasonLabel?: string;
  readonly run: (reason: string) => Promise<Done<unknown>>;
  readonly color?: string;
  readonly size?: ButtonProps["size"];
}

/** A button that says what it will do, asks why, and shows what the server answered. */
export function ActionButton({ label, explain, reason, reasonLabel = "Why", run, color = "#c92a2a", size }: ActionButtonProps) {
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState("");
  const [state, setState] = useState<{ readonly busy: boolean; readonly problem?: string }>({ busy: false });
  const close = () => {
    setOpened(false);
    setState({ busy: false });
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setState({ busy: true });
    const answer = await run(text.trim());
    if (answer.ok) {
      setText("");
      close();
    } else setState({ busy: false, problem: answer.message });
  };
  return (
    <>
      <Button variant="default" size={size} onClick={() => setOpened(true)}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={label} closeButtonProps={{ "aria-label": "Close" }}>
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Text style={{ wordBreak: "break-word" }}>{explain}</Text>
            {state.problem !== undefined && (
              <Alert color="red" title="It was not done" role="alert">
                {state.problem}
              </Alert>
            )}
            {reason !== undefined && (
              <Textarea
                data-autofocus
                label={reasonLabel}
                required={reason === "required"}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
                autosize
                minRows={2}
              />
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Back
              </Button>
              <Button type="submit" color={color} loading={state.busy} disabled={reason === "required" && text.trim() === ""}>
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
