import { join } from "node:path";
import { defineConfig } from "vite";

const page = (name: string): string => join(import.meta.dirname, "page", name);

/** The example page, the test bench, and the contracts of the ports: the way an app bundles a device. */
export default defineConfig({
  root: join(import.meta.dirname, "page"),
  resolve: { conditions: ["@tutti/source"] },
  build: {
    target: "es2024",
    // The polyfill is for browsers without module workers, which have no device.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: page("index.html"), lab: page("lab.html"), contracts: join(import.meta.dirname, "../../packages/device/src/browser/test/contracts.ts") },
      output: { entryFileNames: "[name].js" },
    },
  },
});
