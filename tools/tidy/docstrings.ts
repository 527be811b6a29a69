import { dirname, join, normalize } from "node:path";
import type { Fault } from "./fault.ts";
import { nodeIn, nodesIn, textIn, type SyntaxNode } from "./syntax.ts";
import { entryPaths, slashes, type SourceFile, type Tree } from "./tree.ts";

/** A short function whose name and types say all needs no sentence; a longer one does. */
const selfEvidentLinesMax = 5;

/** Functions that a package exports to others and that have no docstring. */
export function checkDocstrings(tree: Tree): readonly Fault[] {
  const entries = tree.packages.flatMap((part) => entryPaths(part)).flatMap((path) => tree.sources.get(path) ?? []);
  return entries.flatMap((entry) => publicFiles(tree, entry).flatMap(({ file, names }) => fileFaults(file, names)));
}

function publicFiles(tree: Tree, entry: SourceFile): readonly { readonly file: SourceFile; readonly names: readonly string[] }[] {
  return entry.imports.filter((mention) => mention.isReExport).flatMap(({ specifier, names }) => {
    const file = tree.sources.get(slashes(normalize(join(dirname(entry.path), specifier))));
    return file === undefined ? [] : [{ file, names }];
  });
}

function fileFaults(file: SourceFile, names: readonly string[]): readonly Fault[] {
  return nodesIn(file.syntax.program, "body").flatMap((node) => {
    const declared = node.type === "ExportNamedDeclaration" ? nodeIn(node, "declaration") : undefined;
    const name = declared?.type === "FunctionDeclaration" ? textIn(nodeIn(declared, "id") ?? declared, "name") : undefined;
    const isPublic = name !== undefined && (names.includes("*") || names.includes(name));
    if (!isPublic || isSelfEvident(file, node) || isDocumented(file, node)) return [];
    return [{ check: "docstrings", path: file.path, line: file.lineAt(node.start), message: `${name} is public and has no docstring` }];
  });
}

function isSelfEvident(file: SourceFile, node: SyntaxNode): boolean {
  return file.lineAt(node.end) - file.lineAt(node.start) + 1 <= selfEvidentLinesMax;
}

/** A docstring stands directly above; an overload's stands above the first signature. */
function isDocumented(file: SourceFile, node: SyntaxNode): boolean {
  return file.syntax.comments.some(({ kind, text, end }) =>
    kind === "Block" && text.startsWith("*") && end <= node.start && file.text.slice(end, node.start).trim() === "");
}
