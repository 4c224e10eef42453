/** A part of an `sh` block that runs as one. */
export interface Step {
  /** `program`: it runs until it is ended. `script`: it ends by itself. */
  readonly kind: 'program' | 'script';
  readonly text: string;
}

/** What is started to go on running: the gateway, the echo backend, a program of the page, a stream of events. */
const runsOn =
  /^(?:[A-Z_]+=(?:'[^']*'|"[^"]*"|\S+) )*(?:npm ci && )?(?:npm start|npx wsluice|wsluice|node -e|prometheus|curl -sN)(?:\s|$)/;
const endsByItself =
  /^.*?(?:npm start (?:--silent )?--|npx wsluice|wsluice) (?:check|doctor|train|ready|top|--help|--version)\b/;

/** Splits an `sh` block: each program by itself, the commands between them as one script. `ends` knows which files of the page end by themselves. */
export function stepsOf(block: string, ends: (file: string) => boolean): Step[] {
  const steps: Step[] = [];
  for (const command of commandsOf(block)) {
    const bare = withoutComment(command);
    const [, file] = /^node (\S+\.m?js)$/.exec(bare) ?? [];
    const goesOn = file === undefined ? runsOn.test(bare) && !endsByItself.test(bare) : !ends(file);
    const kind = goesOn ? 'program' : 'script';
    const last = steps.at(-1);
    if (kind === 'script' && last?.kind === 'script')
      steps[steps.length - 1] = { kind, text: `${last.text}\n${command}` };
    else steps.push({ kind, text: kind === 'program' ? bare : command });
  }
  return steps;
}

/** The commands of a block: lines, together with those that quotes, backslashes and here-documents go on in. */
export function commandsOf(block: string): string[] {
  const commands: string[] = [];
  let open = '';
  for (const line of block.split('\n')) {
    open += open === '' ? line : `\n${line}`;
    if (!isComplete(open)) continue;
    if (open.trim() !== '' && !/^\s*#/.test(open)) commands.push(open);
    open = '';
  }
  if (open !== '') throw new Error(`a command does not end: ${open}`);
  return commands;
}

function isComplete(text: string): boolean {
  const [, , mark] = /<<-?(['"]?)(\w+)\1/.exec(text) ?? [];
  if (mark !== undefined) return new RegExp(`\\n${mark}$`).test(text);
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === '' && char === '#' && /\s/.test(text[i - 1] ?? ' ')) return true;
    if (char === '\\' && quote !== "'") i++;
    else if (quote === '') quote = char === "'" || char === '"' ? char : '';
    else if (char === quote) quote = '';
  }
  return quote === '' && !text.endsWith('\\');
}

/** Without the `&` too: what goes on is started beside the others anyhow. */
function withoutComment(command: string): string {
  return command.includes('\n')
    ? command
    : command
        .replace(/\s+#.*$/, '')
        .replace(/\s+&$/, '')
        .trim();
}

/** Programs of Debian's that a block needs. */
export function programsOf(block: string): string[] {
  const words = commandsOf(block).flatMap((command) => command.match(/(?<=^|[|&;] ?)[a-z]+/g) ?? []);
  const needed = /wsluice train/.test(block) ? [...words, 'zstd'] : words;
  return needed.filter((word) => ['prometheus', 'promtool', 'nginx', 'zstd', 'openssl'].includes(word));
}
