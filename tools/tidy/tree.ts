import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileImports, type FileImport } from "./imports.ts";
import { parseSource, type Syntax } from "./syntax.ts";

/** A TypeScript file. Paths are relative to the tree's root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly syntax: Syntax;
  readonly imports: readonly FileImport[];
  readonly isTest: boolean;
  lineAt(offset: number): number;
}

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

export interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, { readonly "@tutti/source"?: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly name: string;
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface Tree {
  readonly root: string;
  readonly manifest: Manifest;
  readonly packages: readonly Package[];
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly texts: readonly TextFile[];
}

const builtFolders = new Set(["node_modules", "dist", "build", "coverage"]);
const textEndings = [".ts", ".tsx", ".mts", ".js", ".json", ".md", ".html", ".css", ".yml", ".sh"];
const hiddenKept = new Set([".ci", ".oxlintrc.json", ".npmrc", ".gitignore"]);

/** Reads every source and text file below `root`, leaving out what is built or installed. */
export function readTree(root: string): Tree {
  const paths = filesBelow(root, root);
  const texts = paths.filter(isText).map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  const sources = new Map(texts.filter(isSource).map((file) => [file.path, sourceFile(file)]));
  return { root, manifest: manifestAt(root), packages: packagesIn(root, paths), sources, texts };
}

/** The package that holds `path`, or undefined for tools, tests across packages, benches and examples. */
export function packageOf(tree: Tree, path: string): Package | undefined {
  return tree.packages.find((candidate) => path.startsWith(`${candidate.folder}/`));
}

/** Source paths that a package names as its entries: `exports` and, for programs, `bin`. */
export function entryPaths(part: Package): readonly string[] {
  const exported = Object.values(part.manifest.exports ?? {}).map((entry) => entry["@tutti/source"] ?? "");
  const programs = Object.values(part.manifest.bin ?? {}).map((path) => path.replace(/^(\.\/)?dist\//, "./src/").replace(/\.js$/, ".ts"));
  return [...exported, ...programs].filter((path) => path !== "").map((path) => slashes(join(part.folder, path)));
}

export function isTestPath(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith("test/") || /\/src\/(.*\/)?test\//.test(path);
}

/** Reads JSON that may hold comment lines, as a tsconfig does. */
export function readJsonLines(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8").replace(/^\s*\/\/.*$/gm, ""));
}

export function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}

function filesBelow(folder: string, root: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const isLeftOut = builtFolders.has(entry.name) || (entry.name.startsWith(".") && !hiddenKept.has(entry.name));
    if (isLeftOut) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, root);
    return entry.isFile() ? [slashes(relative(root, path))] : [];
  }).toSorted();
}

function isText(path: string): boolean {
  return textEndings.some((ending) => path.endsWith(ending)) || path.startsWith(".ci/") || hiddenKept.has(path);
}

/** AssemblyScript is another language in the same clothes: its files are texts, not sources. */
function isSource(file: TextFile): boolean {
  return /\.(ts|tsx|mts)$/.test(file.path) && !file.path.includes("/assembly/");
}

function sourceFile({ path, text }: TextFile): SourceFile {
  const syntax = parseSource(path, text);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineAt = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  return { path, text, syntax, imports: fileImports(syntax), isTest: isTestPath(path), lineAt };
}

function packagesIn(root: string, paths: readonly string[]): Package[] {
  const manifests = paths.filter((path) => basename(path) === "package.json" && /^(packages|apps)\/[^/]+\//.test(path));
  return manifests.map((path) => {
    const folder = dirname(path);
    const manifest = manifestAt(join(root, folder));
    return { name: manifest.name ?? folder, folder, manifest };
  });
}

function manifestAt(folder: string): Manifest {
  const path = join(folder, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Manifest) : {};
}
