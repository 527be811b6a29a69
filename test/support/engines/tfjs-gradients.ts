import { registerHooks } from "node:module";

/**
 * Gives TensorFlow.js its derivatives on Node. Its CommonJS bundle leaves them out, and the modules that hold
 * them name their neighbours without ".js", as bundlers like it; engine and registry are one per process.
 */
export async function loadTfjsGradients(): Promise<void> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const isBare = specifier.startsWith(".") && !specifier.endsWith(".js") && context.parentURL?.includes("/@tensorflow/tfjs-core/dist/") === true;
      return next(isBare ? `${specifier}.js` : specifier, context);
    },
  });
  await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  hooks.deregister();
}
