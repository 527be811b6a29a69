import type { Fault } from "./fault.ts";
import type { SourceFile, TextFile, Tree } from "./tree.ts";

// The brackets keep this line from finding itself.
const unfinished = /\b(T[O]DO|F[I]XME|X[X]X)\b/;
/** Paths that exist on one machine only, and registry addresses that a lock file may have caught. */
const machinePaths = [/(?<![\w.$})\]-])\/(work|root|home|Users|tmp)\/[\w.-]+/, /"resolved": "https?:/];
const suppression = /\b(ts-ignore|ts-nocheck|ts-expect-error|oxlint-disable|eslint-disable)\b/;

export function checkTexts(tree: Tree): readonly Fault[] {
  return [...tree.texts.flatMap(lineFaults), ...[...tree.sources.values()].flatMap(suppressionFaults)];
}

function lineFaults({ path, text }: TextFile): readonly Fault[] {
  return text.split("\n").flatMap((line, i) => lineMessages(line).map((message) => ({ check: "texts", path, line: i + 1, message })));
}

function lineMessages(line: string): readonly string[] {
  const mark = unfinished.exec(line)?.[1];
  const path = machinePaths.map((pattern) => pattern.exec(line)?.[0]).find((found) => found !== undefined);
  return [
    ...(mark === undefined ? [] : [`${mark}: finish it, or say in the documents that it is missing`]),
    ...(path === undefined ? [] : [`${path}: a path of one machine`]),
  ];
}

/** A rule may be switched off where it is wrong, in words: `// oxlint-disable-next-line rule -- why it is wrong here`. */
function suppressionFaults(file: SourceFile): readonly Fault[] {
  const bare = file.syntax.comments.filter(({ text }) => suppression.test(text) && !/ -- \S+ \S+/.test(text));
  return bare.map(({ start }) => ({ check: "texts", path: file.path, line: file.lineAt(start), message: "a rule is switched off without ` -- reason`" }));
}
