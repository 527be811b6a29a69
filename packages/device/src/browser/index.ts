export { createBrowserDevice, type BrowserDevice, type BrowserDeviceOptions } from "./browser-device.ts";
export { openBrowserDatabase } from "./browser-database.ts";
export { browserPlatform, type BrowserParts } from "./browser-platform.ts";
export { hostDevice, type HostPorts } from "./device-host.ts";
export type { KernelUrls } from "./kernel-files.ts";
export type { ConditionRules } from "./page-conditions.ts";
