import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Line {
  readonly message: string;
  /** Undefined where it depends. */
  readonly level: string | undefined;
}

/** Every call of a log in a source. Throws for one whose message is not a fixed text. */
function linesOf(path: string): Line[] {
  const source = ts.createSourceFile(
    path,
    readFileSync(resolve(root, path), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const lines: Line[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isLog(node.expression)) lines.push(lineOf(node, path));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines;
}

function isLog(callee: ts.Expression): callee is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  const isMember = ts.isPropertyAccessExpression(callee) || ts.isElementAccessExpression(callee);
  return isMember && /(?:^|[.#])log$/.test(callee.expression.getText());
}

function lineOf({ expression, arguments: args }: ts.CallExpression, path: string): Line {
  const message = args.at(-1);
  if (message === undefined || !ts.isStringLiteralLike(message))
    throw new Error(`a line of the log in ${path} has no fixed message: ${message?.getText()}`);
  return {
    message: message.text,
    level: ts.isPropertyAccessExpression(expression) ? expression.name.text : undefined,
  };
}

const sources = globSync('{server,pool,ratelimit,codec,metrics}/**/*.ts', { cwd: root });
const logged = sources
  .filter((path) => !/\.(?:test|fixture|bench|contract)\.ts$/.test(path))
  .flatMap(linesOf);
const page = readFileSync(resolve(root, 'docs/logs.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([^`]+)` +\| (\w+) +\|/gm)].map(
  ([, message, level]) => [message!, level!] as const,
);
const levels = new Map(rows);

it('docs/logs.md lists each message once, and none that is not logged', () => {
  expect(levels.size).toBe(rows.length);
  expect([...levels.keys()].sort()).toEqual([...new Set(logged.map(({ message }) => message))].sort());
});

it('docs/logs.md tells the level of each message', () => {
  for (const { message, level } of logged)
    if (level !== undefined) expect([message, levels.get(message)]).toEqual([message, level]);
});
