/** Milliseconds between two drawings of a view. */
export const PACE_MS = 250;
