/** A duration beside the bar that it has on an idle machine. */
export const shown = (ms, bar = 500) => `${Math.round(ms)} ms (bar ${bar} ms on an idle machine)`;
