import type { SeededRandom } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { activities, scaledSample, windowChannels, windowSamples, type Activity } from "../watch-window.ts";
import { recordExecution, type Recording } from "./execution.ts";
import type { Wearer } from "./wearer.ts";

/** Samples between the starts of two windows: half a window, as in the real data set. */
const hop = windowSamples / 2;
/** Part of a window that its label must fill: below it even a person could not name the activity. */
const purityMin = 0.6;
const executionsMin = 5;
const executionsMax = 8;

/** A person's windows of several executions; inputs [64, 6], targets the ids of their activities. */
export function activityExamples(wearer: Wearer, random: SeededRandom): BatchSource {
  const executionCount = executionsMin + random.below(executionsMax - executionsMin + 1);
  const windows = Array.from({ length: executionCount }, (_, i) => windowsOf(recordExecution(wearer, random.split(i)))).flat();
  const inputs = new Float32Array(windows.length * windowSamples * windowChannels);
  for (const [i, { samples }] of windows.entries()) inputs.set(samples.map((value, at) => scaledSample(value, at % windowChannels)), i * windowSamples * windowChannels);
  return { exampleCount: windows.length, inputs, targets: Int32Array.from(windows, ({ activity }) => activities.indexOf(activity)) };
}

/** The windows of a recording whose label fills enough of them. */
function windowsOf(recording: Recording): readonly { readonly activity: Activity; readonly samples: Float64Array }[] {
  const count = Math.floor((recording.activities.length - windowSamples) / hop) + 1;
  return Array.from({ length: count }, (_, i) => i * hop).flatMap((first) => {
    const inside = recording.activities.slice(first, first + windowSamples);
    const activity = activities.find((candidate) => inside.filter((own) => own === candidate).length >= purityMin * windowSamples);
    const samples = recording.samples.subarray(first * windowChannels, (first + windowSamples) * windowChannels);
    return activity === undefined ? [] : [{ activity, samples }];
  });
}
