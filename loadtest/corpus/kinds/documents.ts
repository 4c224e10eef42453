import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** Prose in JSON: comments, edits and whole markdown documents of a collaborative editor. */
export const documents: Kind = {
  name: 'documents',
  small: (world) => world.random.pick([comment, edit, notice])(world),
  large: (world, bytes) => ({
    ...{ type: 'document', id: world.random.uuid(), revision: world.random.whole(1, 900) },
    ...{ author: user(world), updatedAt: world.isoTime(), title: world.title() },
    body: itemsOf(bytes * 0.97, () => world.random.pick([chapter, chapter, list, table])(world)).join('\n\n'),
  }),
};

function user(world: World): string {
  return `user_${world.random.whole(1_000, 9_999)}`;
}

function comment(world: World): object {
  const { random } = world;
  const phrase = random.chance(0.3) ? ` ${random.pick(world.words.phrases)}` : '';
  return {
    ...{ type: 'comment', id: random.uuid(), document: random.uuid(), author: user(world) },
    ...{ createdAt: world.isoTime(), text: world.sentences(random.whole(1, 2)) + phrase },
  };
}

function edit(world: World): object {
  const { random } = world;
  const from = random.whole(0, 40_000);
  const change = { from, to: from + random.whole(0, 60), insert: world.sentence() };
  return {
    type: 'edit',
    document: random.uuid(),
    revision: random.whole(1, 900),
    author: user(world),
    change,
  };
}

function notice(world: World): object {
  const { random } = world;
  const event = random.pick(['document.shared', 'document.renamed', 'comment.resolved']);
  const target = { id: random.uuid(), title: world.title(), url: `/d/${random.token(12)}` };
  return {
    type: 'notice',
    event,
    actor: user(world),
    target,
    at: world.isoTime(),
    unread: random.whole(1, 40),
  };
}

function chapter(world: World): string {
  return `## ${world.title()}\n\n${world.sentences(world.random.whole(3, 8))}\n\n${world.sentences(4)}`;
}

function list(world: World): string {
  return Array.from(
    { length: world.random.whole(3, 7) },
    () => `- **${world.noun()}**: ${world.sentence()}`,
  ).join('\n');
}

function table(world: World): string {
  const row = (): string => `| ${world.noun()} | ${world.random.whole(1, 9_000)} | ${world.title()} |`;
  const head = `| ${world.noun()} | count | ${world.noun()} |\n| --- | --- | --- |`;
  return [head, ...Array.from({ length: world.random.whole(3, 8) }, row)].join('\n');
}
