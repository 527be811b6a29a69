import { expect, test } from "vitest";
import { parseArguments, UsageError, type ArgumentsSpec } from "./arguments.ts";

const spec: ArgumentsSpec = {
  positionals: ["TASK"],
  options: [
    { name: "rounds", value: "N", text: "rounds" },
    { name: "out", value: "FILE", text: "file" },
    { name: "json", text: "lines" },
  ],
};

test.each([
  [["t", "--round", "3"], "unknown option --round"],
  [["t", "-r"], "unknown option -r"],
  [["t", "--rounds"], "--rounds needs a value: --rounds N"],
  [["t", "--rounds", "--json"], "--rounds needs a value: --rounds N"],
  [["t", "--json=yes"], "--json takes no value"],
  [["t", "--out", "a", "--out", "b"], "--out is given twice"],
  [["t", "u"], 'unexpected word "u"'],
  [[], "TASK is missing"],
])("the words %j are refused with one line that names the fault", (words, message) => {
  expect(() => parseArguments(spec, words)).toThrow(new UsageError(message));
});

test.each(["0", "101", "-1", "1.5", "1e2", "ten", " 3"])("a round count of %j is refused with its range", (text) => {
  const args = parseArguments(spec, ["t", `--rounds=${text}`]);
  expect(() => args.integer("rounds", { min: 1, max: 100 })).toThrow(new UsageError(`--rounds ${text}: expected a whole number from 1 to 100`));
});

test("options are taken before and after the words, with a space or an equals sign", () => {
  const args = parseArguments(spec, ["--rounds=12", "watch", "--out", "model.safetensors"]);
  expect([args.positional("TASK"), args.integer("rounds", { min: 1, max: 100 }), args.text("out"), args.has("json")]).toEqual(["watch", 12, "model.safetensors", false]);
});

test("an option that must be there is named when it is not", () => {
  expect(() => parseArguments(spec, ["t"]).required("out")).toThrow(new UsageError("--out is missing"));
});
