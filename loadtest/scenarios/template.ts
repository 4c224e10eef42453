/** Values by name. */
export type Variables = Readonly<Record<string, number | string>>;

const placeholder = /\{\{\s*([\w$.]+)\s*\}\}/g;
const alone = /^\{\{\s*([\w$.]+)\s*\}\}$/;

/** Returns a copy of `value` with every `{{ name }}` in it replaced, as artillery does it: one that stands alone keeps its type. */
export function rendered(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return renderedText(value, variables);
  if (Array.isArray(value)) return value.map((item) => rendered(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rendered(item, variables)]));
}

function renderedText(text: string, variables: Variables): string | number {
  const [, single] = alone.exec(text) ?? [];
  if (single !== undefined) return valueOf(single, variables);
  return text.replace(placeholder, (_, name: string) => String(valueOf(name, variables)));
}

function valueOf(name: string, variables: Variables): string | number {
  const value = variables[name];
  if (value === undefined) throw new Error(`{{ ${name} }}: there is no such variable`);
  return value;
}
