import type { CompletionCommand, CompletionOption } from "./completion-model.ts";

type Model = readonly CompletionCommand[];

/** Text for a single-quoted word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function words(command: CompletionCommand): string {
  return [...command.subcommands.map((s) => s.name), ...command.options.flatMap((o) => o.names)].join(" ");
}

/** For bash 4 and later, and bash 3.2 of macOS: nothing newer is used. */
export function bashScript(model: Model): string {
  const cases = model.map((c) => `    ${quote(c.path.join(" "))}) words=${quote(words(c))} ;;`);
  const known = model.filter((c) => c.path.length > 0).map((c) => quote(c.path.join(" ")));
  // An option's choices are those of its command: -o means another thing to each.
  const values = model.flatMap(({ path, options }) =>
    options
      .filter((o) => o.takesValue)
      .map((o) => `    ${o.names.map((name) => quote([...path, name].join(" "))).join("|")}) ${bashValues(o)}; return ;;`),
  );
  return `# bash completion of castellan: source <(castellan completion bash)
_castellan() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in
      ${known.join("|")}) path="$word" ;;
    esac
  done
  case "\${path:+$path }$prev" in
${values.join("\n")}
  esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ "$cur" != -* ]]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _castellan castellan
`;
}

function bashValues({ choices }: CompletionOption): string {
  return choices.length === 0
    ? 'COMPREPLY=($(compgen -f -- "$cur"))'
    : `COMPREPLY=($(compgen -W ${quote(choices.join(" "))} -- "$cur"))`;
}

/** For zsh: save it as _castellan in a folder of $fpath, or source it. */
export function zshScript(model: Model): string {
  return `#compdef castellan
# zsh completion of castellan: source <(castellan completion zsh)
${model.map(zshFunction).join("\n")}
if [ "$funcstack[1]" = _castellan ]; then _castellan "$@"; else compdef _castellan castellan; fi
`;
}

function zshName(path: readonly string[]): string {
  return ["_castellan", ...path].join("_");
}

function zshFunction({ path, options, subcommands }: CompletionCommand): string {
  const specs = options.flatMap((o) => o.names.map((name) => quote(zshOption(name, o))));
  if (subcommands.length === 0) return `${zshName(path)}() {\n  _arguments -s ${specs.join(" ")} '*:file:_files'\n}`;
  const list = subcommands.map((s) => quote(`${s.name}:${s.summary.replaceAll(":", "\\:")}`));
  const branches = subcommands.filter((s) => s.name !== "help").map((s) => `    ${s.name}) ${zshName([...path, s.name])} ;;`);
  return `${zshName(path)}() {
  local state line
  local -a commands=(${list.join(" ")})
  _arguments -C ${specs.join(" ")} '1: :->command' '*:: :->rest'
  case "$state" in
    command) _describe command commands ;;
    rest) case "$line[1]" in
${branches.join("\n")}
    esac ;;
  esac
}`;
}

function zshOption(name: string, option: CompletionOption): string {
  const description = option.description.replace(/[[\]:]/g, "\\$&");
  if (!option.takesValue) return `*${name}[${description}]`;
  return `*${name}[${description}]:value:${option.choices.length > 0 ? `(${option.choices.join(" ")})` : "_files"}`;
}

/** For fish: save it as ~/.config/fish/completions/castellan.fish, or source it. */
export function fishScript(model: Model): string {
  const lines = model.flatMap((command) => {
    const seen = command.path.map((p) => `__fish_seen_subcommand_from ${p}`);
    const nested = command.subcommands.map((s) => s.name).join(" ");
    const here = command.path.length === 0 ? "__fish_use_subcommand" : seen.join("; and ");
    const before = nested === "" || command.path.length === 0 ? here : `${here}; and not __fish_seen_subcommand_from ${nested}`;
    return [
      ...command.subcommands.map((s) => `complete -c castellan -n ${quote(before)} -f -a ${s.name} -d ${quote(s.summary)}`),
      ...command.options.map((o) => `complete -c castellan -n ${quote(before)} ${fishOption(o)}`),
    ];
  });
  return `# fish completion of castellan: castellan completion fish | source\n${lines.join("\n")}\n`;
}

function fishOption(option: CompletionOption): string {
  const names = option.names.map((n) => (n.startsWith("--") ? `-l ${n.slice(2)}` : `-s ${n.slice(1)}`));
  const value = option.choices.length > 0 ? `-x -a ${quote(option.choices.join(" "))}` : option.takesValue ? "-r" : "-f";
  return `${names.join(" ")} ${value} -d ${quote(option.description)}`;
}
