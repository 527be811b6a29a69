import { createBrowserDevice } from "@tutti/device/browser";
import { element, recordedExamples, settings, watchWindows } from "./app.ts";

// A device in a web page: all else here is the app's own.
const device = await createBrowserDevice({ ...settings, conditions: { idleWhile: "visible" } });
const consent = element("consent", HTMLInputElement);
consent.checked = device.hasConsent();
consent.addEventListener("change", () => void device.setConsent(consent.checked));
if ((await device.examples.count(watchWindows)) === 0) {
  await device.examples.add(watchWindows.collection, watchWindows.schemaVersion, await recordedExamples());
}
await device.run(new AbortController().signal, ({ ending }) => element("status", HTMLElement).append(`${ending.kind} `));
