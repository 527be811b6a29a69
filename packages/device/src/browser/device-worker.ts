import { hostDevice } from "./device-host.ts";

hostDevice();
