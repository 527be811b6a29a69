import { assert } from "@tutti/base";
import type { Engine, EnginePorts } from "../engine.ts";
import { checkModel } from "../network/check-model.ts";
import { NetworkTrainer } from "../network/network-trainer.ts";
import { jsWorkspace } from "./js-workspace.ts";

/** The readable reference engine; it also runs where there is no WebAssembly. Always deterministic on one JavaScript engine. */
export function jsEngine(ports: EnginePorts): Engine {
  return {
    id: "js",
    check: checkModel,
    async compile(model, { maxBatch }) {
      assert(checkModel(model).ok, "a model is checked before it is compiled");
      return new NetworkTrainer({ model, maxBatch, workspace: jsWorkspace(), ports });
    },
  };
}
