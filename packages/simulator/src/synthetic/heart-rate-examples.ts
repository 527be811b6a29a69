import type { SeededRandom } from "@tutti/base";
import type { BatchSource } from "@tutti/engine";
import { rotated, type Wearer } from "./wearer.ts";

/**
 * The collection of heart-rate windows: [64 samples, 4 channels] float32 at 12.5 Hz, 5.12 s. Channel 0
 * is the optical pulse signal, channels 1-3 the accelerometer's x, y, z in g without gravity. Target
 * [1]: the heart's beats per second (1 is 60 a minute).
 */
export const heartRateWindows = { collection: "watch-heart-rate", schemaVersion: 1 } as const;

const sampleCount = 64;
const channelCount = 4;
const sampleHz = 12.5;
const windowsMin = 90;
const windowsMax = 150;

/** From sitting still to running. */
const efforts = [0, 0, 0.15, 0.35, 0.6, 1];
const motionStdDev = 0.03;
const opticalStdDev = 0.15;

/** What of a person shows in the pulse signal alone. */
type Skin = {
  /** Strength of the second harmonic, the reflected wave, and its phase. */
  readonly reflection: number;
  readonly reflectionPhase: number;
  /** How much of each axis of motion leaks into the light. */
  readonly leak: readonly [number, number, number];
};

/** A person's windows at changing efforts; the light holds the pulse and what motion does to it. */
export function heartRateExamples(wearer: Wearer, random: SeededRandom): BatchSource {
  const skin: Skin = {
    reflection: 0.3 + 0.3 * random.uniform(),
    reflectionPhase: 0.8 * random.normal(),
    leak: [2 * random.normal(), 2 * random.normal(), 2 * random.normal()],
  };
  const exampleCount = windowsMin + random.below(windowsMax - windowsMin + 1);
  const inputs = new Float32Array(exampleCount * sampleCount * channelCount);
  const targets = new Float32Array(exampleCount);
  for (let i = 0; i < exampleCount; i++) {
    const own = random.split(i);
    const effort = efforts[own.below(efforts.length)] ?? 0;
    const heartHz = heartHzOf(wearer, effort, own);
    targets[i] = heartHz;
    inputs.set(windowOf(wearer, skin, { effort, heartHz }, own), i * sampleCount * channelCount);
  }
  return { exampleCount, inputs, targets };
}

/** Between rest and the fastest by effort; body, mood and lag move it by more than effort explains. */
function heartHzOf({ restingHz, fastestHz }: Wearer, effort: number, random: SeededRandom): number {
  const expected = restingHz + (fastestHz - restingHz) * 0.75 * effort;
  return Math.min(fastestHz, Math.max(0.9 * restingHz, expected + 0.18 * random.normal()));
}

function windowOf(wearer: Wearer, { reflection, reflectionPhase, leak }: Skin, { effort, heartHz }: { readonly effort: number; readonly heartHz: number }, random: SeededRandom): Float32Array {
  const window = new Float32Array(sampleCount * channelCount);
  const stepHz = wearer.stepHz * (1 + 0.5 * Math.max(0, effort - 0.35));
  let heart = 2 * Math.PI * random.uniform();
  let step = 2 * Math.PI * random.uniform();
  let baseline = random.normal();
  for (let i = 0; i < sampleCount; i++) {
    heart += ((2 * Math.PI * heartHz) / sampleHz) * (1 + 0.05 * random.normal());
    step += (2 * Math.PI * stepHz) / sampleHz;
    baseline = 0.95 * baseline + 0.1 * random.normal();
    const motion = motionAt(wearer, effort, step, random);
    const pulse = Math.sin(heart) + reflection * Math.sin(2 * heart + reflectionPhase);
    const artefact = leak.reduce((sum, part, axis) => sum + part * (motion[axis] ?? 0), 0);
    window.set([pulse + artefact + baseline + opticalStdDev * random.normal(), ...motion], i * channelCount);
  }
  return window;
}

/** Acceleration of the watch in g, gravity left out. */
function motionAt({ bounce, swing, mounting }: Wearer, effort: number, step: number, random: SeededRandom): readonly [number, number, number] {
  const strength = effort * (0.1 + 0.1 * bounce);
  const jitter = (): number => motionStdDev * random.normal();
  return rotated(mounting, [strength * Math.cos(step) + jitter(), strength * 0.3 * Math.sin(step / 2) + jitter(), strength * swing * Math.sin(step / 2) + jitter()]);
}
