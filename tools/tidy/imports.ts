import { nodeIn, nodesIn, textIn, visitNodes, type Syntax, type SyntaxNode } from "./syntax.ts";

/** One mention of another module: an import, a re-export, or a dynamic import. */
export interface FileImport {
  readonly specifier: string;
  /** The names taken; "*" takes them all. */
  readonly names: readonly string[];
  readonly isReExport: boolean;
  readonly start: number;
}

export function fileImports(syntax: Syntax): readonly FileImport[] {
  const imports: FileImport[] = [];
  visitNodes(syntax.program, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const isReExport = node.type.startsWith("Export");
    imports.push({ specifier, names: namesTaken(node), isReExport, start: node.start });
  });
  return imports;
}

function specifierOf(node: SyntaxNode): string | undefined {
  const mentions = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression", "TSImportType"];
  if (!mentions.includes(node.type)) return undefined;
  const source = nodeIn(node, "source") ?? nodeIn(node, "argument");
  return source === undefined ? undefined : (textIn(source, "value") ?? textIn(nodeIn(source, "literal") ?? source, "value"));
}

function namesTaken(node: SyntaxNode): readonly string[] {
  if (node.type !== "ImportDeclaration" && node.type !== "ExportNamedDeclaration") return ["*"];
  return nodesIn(node, "specifiers").map((specifier) => {
    if (specifier.type === "ImportDefaultSpecifier") return "default";
    if (specifier.type === "ImportNamespaceSpecifier") return "*";
    const name = nodeIn(specifier, node.type === "ImportDeclaration" ? "imported" : "local");
    return name === undefined ? "*" : (textIn(name, "name") ?? textIn(name, "value") ?? "*");
  });
}
