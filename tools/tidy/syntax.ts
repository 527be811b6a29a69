import { parseSync } from "vite";

/** A node of the ESTree that vite's parser (oxc) gives; fields are read through the functions below. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Comment {
  /** `/*` or `//` */
  readonly kind: "Block" | "Line";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Syntax {
  readonly program: SyntaxNode;
  readonly comments: readonly Comment[];
}

/** Parses TypeScript by its file name (.ts, .tsx, .d.ts); throws with the parser's first error. */
export function parseSource(path: string, text: string): Syntax {
  const parsed = parseSync(path, text);
  const error = parsed.errors[0];
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const comments = parsed.comments.map((comment) => ({ kind: comment.type, text: comment.value, start: comment.start, end: comment.end }));
  return { program: parsed.program as unknown as SyntaxNode, comments };
}

/** The node in `field`, or undefined where the field is empty or a list. */
export function nodeIn(node: SyntaxNode, field: string): SyntaxNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

export function nodesIn(node: SyntaxNode, field: string): readonly SyntaxNode[] {
  const value: unknown = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function textIn(node: SyntaxNode, field: string): string | undefined {
  const value = node[field];
  return typeof value === "string" ? value : undefined;
}

/** Calls `visit` on `node` and everything below it, parents first. */
export function visitNodes(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void, parent?: SyntaxNode): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    if (isNode(value)) visitNodes(value, visit, node);
    if (Array.isArray(value)) for (const item of value) if (isNode(item)) visitNodes(item, visit, node);
  }
}

/** `Math.random` for the node of `Math.random`; a plain identifier gives its name; anything else undefined. */
export function dottedName(node: SyntaxNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === "Identifier") return textIn(node, "name");
  if (node.type !== "MemberExpression" || node["computed"] === true) return undefined;
  const object = dottedName(nodeIn(node, "object"));
  const property = dottedName(nodeIn(node, "property"));
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "start" in value;
}
