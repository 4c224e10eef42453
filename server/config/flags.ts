import { Option, type Command } from 'commander';
import { allowedText, nodeAt, schemaTree, type SchemaNode } from './describe.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Setting } from './faults.ts';
import { configFlagDescription, configVariable, serveFlags, type Flag } from './serve-flags.ts';
import { overlay, treeOf, type Tree } from './tree.ts';

/** What commander's `opts()` holds: texts as they were typed. */
export type FlagValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A part of a configuration, and where each of its values came from. */
export interface Layer {
  readonly tree: Tree;
  readonly settings: readonly Setting[];
}

/** Adds the options of `wsluice serve` to a command; their values stay text until the schema looks at them. */
export function addServeOptions(command: Command): Command {
  command.addOption(new Option('-c, --config <file>', configFlagDescription));
  for (const flag of serveFlags) {
    if (flag.name === undefined) continue;
    const option = new Option(`${flag.name} ${flag.argument}`);
    // Only help reads it, and few runs show help.
    Object.defineProperty(option, 'description', { get: () => flagDescription(flag, schemaTree()) });
    if (flag.repeatable) option.argParser((text: string, texts?: string[]) => [...(texts ?? []), text]);
    command.addOption(option);
  }
  return command;
}

/** What a flag does, what it takes and its default, from the schema. */
export function flagDescription({ path, description }: Flag, root: SchemaNode): string {
  if (description !== undefined) return description;
  const node = nodeAt(root, path);
  if (node === undefined) throw new Error(`bug: no key ${path.join('.')}`);
  const choices = (node.enum ?? node.anyOf?.[0]?.enum) === undefined ? '' : `${allowedText(node)}; `;
  const defaultText = JSON.stringify(node.default ?? 'none').replaceAll(/["[\]]/g, '');
  return `${node.description ?? ''} (${choices}default: ${defaultText})`;
}

/** The part of a configuration that the command line gives; values are unchecked. */
export function flagsToPartial(values: FlagValues): Layer {
  return asLayer((flag) => {
    const given = flag.name === undefined ? undefined : values[attributeName(flag.name)];
    if (given === undefined) return undefined;
    const texts = typeof given === 'string' ? [given] : given;
    const split = flag.repeatable === true || flag.separator === undefined;
    return { name: flag.name ?? '', texts: split ? texts : texts.flatMap((text) => parts(text, flag)) };
  });
}

/** The part of a configuration that the environment gives; an empty variable counts as unset. */
export function environmentToPartial(env: NodeJS.ProcessEnv): Layer {
  return asLayer((flag) => {
    const text = env[flag.variable]?.trim() ?? '';
    return text === '' ? undefined : { name: flag.variable, texts: parts(text, flag) };
  });
}

/** A sentence for each WSLUICE_ variable that means nothing here. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = [configVariable, ...serveFlags.map(({ variable }) => variable)];
  return Object.keys(env)
    .filter((name) => name.startsWith('WSLUICE_') && !known.includes(name))
    .map((name) => `${name} is not a setting and has no effect${didYouMean(name, known)}`);
}

function asLayer(given: (flag: Flag) => Pick<Setting, 'name' | 'texts'> | undefined): Layer {
  const settings = serveFlags.flatMap((flag): Setting[] => {
    const found = given(flag);
    if (found === undefined) return [];
    const { path, value, form } = flag;
    return [{ ...found, path, value: value(found.texts), ...(form === undefined ? {} : { form }) }];
  });
  const tree = settings.reduce<Tree>((sum, { path, value }) => overlay(sum, treeOf(path, value)), {});
  return { tree, settings };
}

function parts(text: string, { separator }: Flag): string[] {
  return separator === undefined
    ? [text]
    : text
        .split(separator)
        .map((part) => part.trim())
        .filter((part) => part !== '');
}

/** commander's own name for it: `--admin-port` is `adminPort`. */
function attributeName(flag: string): string {
  return new Option(flag).attributeName();
}
