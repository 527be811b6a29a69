/**
 * One window of a watch, real or synthetic: [64 samples, 6 channels] float32 at 50 Hz, 1.28 s. Channels
 * 0-2 are the accelerometer's x, y, z in g, gravity included; 3-5 the gyroscope's in units of 2 rad/s.
 * The scaling is fixed, the same for everyone: at rest the accelerometer's length is 1, and both sensors
 * move by about 1 in everyday movement.
 */
export const windowSamples = 64;
export const windowChannels = 6;
export const windowHz = 50;

/** Standard gravity in m/s². */
export const gravity = 9.80665;
const gyroscopeUnit = 2;

/** Reads a window's numbers in m/s² and rad/s as a model takes them. @param channel 0..5. */
export function scaledSample(value: number, channel: number): number {
  return channel < 3 ? value / gravity : value / gyroscopeUnit;
}

/** The collection of watch windows, at the version of this layout and scaling. */
export const watchWindows = { collection: "watch-windows", schemaVersion: 1 } as const;

/** Class ids are the places in this list. */
export const activities = ["SEATED", "STANDING_UP", "WALKING", "TURNING", "SITTING_DOWN"] as const;
export type Activity = (typeof activities)[number];
